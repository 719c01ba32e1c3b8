// The life of a connection: reuse, pipelining, limits, timeouts, the server's end.
#include <filesystem>
#include <thread>

#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using ConnectionTest = S3Test;

// Of this process, which is client and server in one.
std::size_t OpenSockets() {
  std::size_t sockets = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (!error && target.string().starts_with("socket:")) ++sockets;
  }
  return sockets;
}

TEST_F(ConnectionTest, RequestsMayBePipelined) {
  ASSERT_EQ(Put("/bucket/a", "first").status, 200);
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += RequestText("PUT", "/bucket/k" + std::to_string(i), {}, "v" + std::to_string(i));
    requests += RequestText("GET", "/bucket/k" + std::to_string(i));
    requests += RequestText("HEAD", "/bucket/a");
  }
  client().SendRaw(requests);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client().ReadReply().status, 200);
    EXPECT_EQ(client().ReadReply().body, "v" + std::to_string(i));
    EXPECT_EQ(client().ReadReply(/*head=*/true).Header("content-length"), "5");
  }
}

TEST_F(ConnectionTest, ARequestMayComeByteByByte) {
  for (const char c : RequestText("PUT", "/bucket/slow", {}, "hello")) {
    client().SendRaw(std::string_view(&c, 1));
  }
  EXPECT_EQ(client().ReadReply().status, 200);
  EXPECT_EQ(Get("/bucket/slow").body, "hello");
}

TEST_F(ConnectionTest, CloseIsHonoured) {
  const Reply reply = client().Send("GET", "/", {{"Connection", "close"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("connection"), "close");
  EXPECT_TRUE(client().WaitForClose());
  HttpClient old(server_->port());
  old.SendRaw("GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_EQ(old.ReadReply().status, 200);
  EXPECT_TRUE(old.WaitForClose());
}

TEST_F(ConnectionTest, TheAbsoluteFormOfATargetIsUnderstood) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  EXPECT_EQ(Get("http://127.0.0.1:1/bucket/key").body, "x");
  EXPECT_EQ(Get("http://evil.example/bucket/key").status, 403);
}

TEST_F(ConnectionTest, OneHostHeaderIsRequired) {
  client().SendRaw("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client().ReadReply().status, 400);
  NewConnection();
  client().SendRaw("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client().ReadReply().status, 400);
}

TEST_F(ConnectionTest, AmbiguousFramingIsRefused) {
  const std::string before = Dump();
  for (const std::string& headers :
       {std::string("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        std::string("Content-Length: 3\r\nContent-Length: 4\r\n"),
        std::string("Content-Length: +3\r\n"), std::string("Content-Length: 0x3\r\n"),
        std::string("Content-Length: 99999999999999999999999\r\n"),
        std::string("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n"),
        std::string("Transfer-Encoding: xchunked\r\n")}) {
    HttpClient fresh(server_->port());
    fresh.SendRaw("PUT /bucket/key HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\nabc");
    const int status = fresh.ReadReply().status;
    EXPECT_TRUE(status == 400 || status == 411 || status == 501) << headers << status;
  }
  EXPECT_EQ(Dump(), before);
}

TEST_F(ConnectionTest, SlowHeadersBodiesAndIdleConnectionsAreCut) {
  Restart({.default_owner = "tester",
           .idle_timeout_ms = 60,
           .header_timeout_ms = 60,
           .transfer_timeout_ms = 60});
  const std::string before = Dump();
  HttpClient idle(server_->port());
  EXPECT_TRUE(idle.WaitForClose());
  HttpClient header(server_->port());
  header.SendRaw("GET / HTT");
  EXPECT_TRUE(header.WaitForClose());
  HttpClient body(server_->port());
  body.SendRaw(RequestText("PUT", "/bucket/key", {{"Content-Length", "10"}}, "half"));
  EXPECT_TRUE(body.WaitForClose());
  EXPECT_EQ(Dump(), before);
  ExpectAlive();
}

TEST_F(ConnectionTest, AClientThatDoesNotReadIsCut) {
  ASSERT_EQ(Put("/bucket/large", Pattern(24 << 20)).status, 200);
  Restart({.default_owner = "tester", .transfer_timeout_ms = 60});
  HttpClient lazy(server_->port());
  EXPECT_EQ(lazy.Send("GET", "/-/healthy").status, 200);
  const std::size_t sockets = OpenSockets();
  lazy.SendRaw(RequestText("GET", "/bucket/large"));
  // The socket buffers fill, the server gives up; what the client then reads ends early.
  while (OpenSockets() == sockets) std::this_thread::yield();
  EXPECT_EQ(lazy.ReadReply().status, 0);
  ExpectAlive();
}

TEST_F(ConnectionTest, ManyConnectionsWorkAtOnce) {
  ASSERT_EQ(Put("/bucket/key", "x").status, 200);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<HttpClient>(server_->port()));
  for (auto& client : clients) client->SendRaw(RequestText("GET", "/bucket/key"));
  for (auto& client : clients) EXPECT_EQ(client->ReadReply().body, "x");
}

TEST_F(ConnectionTest, ParallelWritersAndReadersOfOneKeySeeWholeObjects) {
  const std::string contents[] = {Pattern(200000, 1), Pattern(200000, 2)};
  ASSERT_EQ(Put("/bucket/key", contents[0]).status, 200);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      HttpClient client(server_->port());
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(client.Send("PUT", "/bucket/key", {}, contents[writer]).status, 200);
      }
    });
  }
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      HttpClient client(server_->port());
      for (int i = 0; i < 40; ++i) {
        const Reply reply = client.Send("GET", "/bucket/key");
        EXPECT_TRUE(reply.body == contents[0] || reply.body == contents[1]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ConnectionTest, DrainFinishesWhatIsInProgressRefusesWhatBeginsAndEndsTheRest) {
  HttpClient idle(server_->port());
  EXPECT_EQ(idle.Send("GET", "/-/ready").status, 200);
  HttpClient late(server_->port());
  HttpClient busy(server_->port());
  const HeaderList expect = {{"Expect", "100-continue"}, {"Content-Length", "5"}};
  busy.SendRaw(RequestText("PUT", "/bucket/key", expect));
  ASSERT_EQ(busy.ReadReply().status, 100);
  std::thread drain([&] { server_->Drain(); });
  while (HttpClient(server_->port()).Send("GET", "/-/ready").status != 503) {
  }
  const Reply refused = late.Send("PUT", "/bucket/late");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Code(), "ServiceUnavailable");
  EXPECT_EQ(refused.Header("retry-after"), "1");
  EXPECT_EQ(refused.Header("connection"), "close");
  busy.SendRaw("hello");
  const Reply reply = busy.ReadReply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("connection"), "close");
  drain.join();
  EXPECT_TRUE(idle.WaitForClose());
  EXPECT_EQ(GetObject("key").value(), "hello");
  EXPECT_THROW(HttpClient(server_->port()), std::runtime_error);
}

TEST_F(ConnectionTest, TheOperatorsPagesAnswer) {
  EXPECT_EQ(Get("/-/healthy").status, 200);
  EXPECT_EQ(Get("/-/ready").status, 200);
  ASSERT_EQ(Put("/bucket/key", "12345").status, 200);
  const Reply metrics = Get("/-/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_NE(metrics.body.find("# TYPE amphora_s3_requests_total counter\n"), std::string::npos);
  EXPECT_NE(metrics.body.find("\namphora_store_commits_total "), std::string::npos);
  EXPECT_EQ(Get("/-/other").status, 404);
  EXPECT_EQ(Send("PUT", "/-/metrics").status, 405);
}

TEST_F(ConnectionTest, StartRefusesWhatItCannotListenOn) {
  const auto start = [&](const std::string& listen) {
    s3::ServerOptions options;
    options.listen = listen;
    const auto server = s3::Server::Start(*engine_, options);
    return server.ok() ? ErrorCode::kConflict : server.error().code();
  };
  EXPECT_EQ(start("127.0.0.1:" + std::to_string(server_->port())), ErrorCode::kBusy);
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                          "no.such.name:1", "0.0.0.0:0", "[::]:0"}) {
    EXPECT_EQ(start(bad), ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace amphora::test
