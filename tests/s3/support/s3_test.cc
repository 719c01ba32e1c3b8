#include "tests/s3/support/s3_test.h"

namespace amphora::test {

void S3Test::SetUp() {
  ASSERT_NO_FATAL_FAILURE(EngineTest::SetUp());
  Restart({.default_owner = "tester"});
}

void S3Test::TearDown() {
  client_.reset();
  server_.reset();
  EngineTest::TearDown();
}

void S3Test::Restart(s3::ServerOptions options) {
  client_.reset();
  server_.reset();
  options.listen = "127.0.0.1:0";
  auto server = s3::Server::Start(*engine_, options);
  ASSERT_TRUE(server.ok()) << server.error().ToString();
  server_ = std::move(*server);
}

HttpClient& S3Test::client() {
  if (!client_) client_ = std::make_unique<HttpClient>(server_->port());
  return *client_;
}

Reply S3Test::Send(std::string_view method, std::string_view target, const HeaderList& headers,
                   std::string_view body) {
  Reply reply = client().Send(method, target, headers, body);
  if (reply.status == 0 || reply.Header("connection") == "close") NewConnection();
  return reply;
}

std::string S3Test::Dump() {
  std::string all;
  const auto dumped = engine_->admin().Dump([&](std::string_view line) {
    if (!line.starts_with("reservation ")) all.append(line).append("\n");
    return true;
  });
  EXPECT_TRUE(dumped.ok()) << dumped.error().ToString();
  return all;
}

void S3Test::ExpectAlive() {
  HttpClient fresh(server_->port());
  EXPECT_EQ(fresh.Send("GET", "/-/healthy").status, 200);
}

std::string Pattern(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace amphora::test
