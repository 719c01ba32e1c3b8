// Both ends of the control socket, against each other over a real one.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/control/client.h"
#include "cli/control/server.h"

namespace amphora::cli {
namespace {

class ControlTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "amphora-control-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    socket_ = directory_ + "/below/amphora.sock";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<ControlServer> Serve(ControlHandler handler) {
    auto server = ControlServer::Start(socket_, std::move(handler));
    EXPECT_TRUE(server.has_value()) << server.error().text;
    return server ? std::move(*server) : nullptr;
  }

  // What the server answers to bytes that no client of ours would send.
  std::string Raw(const std::string& request) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    shutdown(fd, SHUT_WR);
    std::string answer;
    char buffer[4096];
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
    close(fd);
    return answer;
  }

  std::string directory_;
  std::string socket_;
};

TEST_F(ControlTest, HandlerSeesRequestAndPeer) {
  ControlRequest seen;
  auto server = Serve([&](const ControlRequest& request, const LineSink&) {
    seen = request;
    return ControlReply{200, {{"answer", 42}}};
  });
  auto client = ControlClient::Connect(socket_);
  ASSERT_TRUE(client.has_value());
  const Outcome<Json> answer = (*client)->Call("POST", "/volumes/s3v/buckets?x=1", {{"name", "b"}});
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ((*answer)["answer"], 42);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, (std::vector<std::string>{"volumes", "s3v", "buckets"}));
  EXPECT_EQ(seen.body["name"], "b");
  EXPECT_EQ(seen.peer.uid, geteuid());
  EXPECT_TRUE(seen.peer.privileged);
  EXPECT_EQ((*client)->daemon_pid(), getpid());
}

TEST_F(ControlTest, ErrorsArriveWithCodeAndMessage) {
  auto server = Serve([](const ControlRequest&, const LineSink&) {
    return ErrorReply("bucket /s3v/b", Error(ErrorCode::kNoSuchBucket));
  });
  auto client = ControlClient::Connect(socket_);
  ASSERT_TRUE(client.has_value());
  const Outcome<Json> answer = (*client)->Call("GET", "/x", Json::object());
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ExitCode::kFailed);
  EXPECT_EQ(answer.error().text, "bucket /s3v/b: no such bucket");
  EXPECT_EQ((*client)->last_code(), "NoSuchBucket");
}

TEST_F(ControlTest, LongWorkArrivesLineByLine) {
  auto server = Serve([](const ControlRequest&, const LineSink& lines) {
    for (int i = 0; i < 10'000; ++i) lines({{"record", std::to_string(i)}});
    return ControlReply{200, {{"records", 10'000}}};
  });
  auto client = ControlClient::Connect(socket_);
  ASSERT_TRUE(client.has_value());
  int next = 0;
  const Outcome<Json> answer = (*client)->Stream(
      "GET", "/dump", Json::object(),
      [&](const Json& line) { EXPECT_EQ(line["record"], std::to_string(next++)); });
  ASSERT_TRUE(answer.has_value()) << answer.error().text;
  EXPECT_EQ(next, 10'000);
  EXPECT_EQ((*answer)["records"], 10'000);
  // The connection goes on.
  EXPECT_TRUE((*client)->Stream("GET", "/dump", Json::object(), [](const Json&) {}).has_value());
}

TEST_F(ControlTest, LongWorkMayFailAtItsEnd) {
  auto server = Serve([](const ControlRequest&, const LineSink& lines) {
    lines({{"record", "a"}});
    return ErrorReply("dump", Error(ErrorCode::kCorrupt));
  });
  auto client = ControlClient::Connect(socket_);
  ASSERT_TRUE(client.has_value());
  const Outcome<Json> answer =
      (*client)->Stream("GET", "/dump", Json::object(), [](const Json&) {});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ((*client)->last_code(), "Corrupt");
}

TEST_F(ControlTest, BytesThatAreNotUtf8DoNoHarm) {
  auto server = Serve([](const ControlRequest&, const LineSink& lines) {
    lines({{"record", "\xff\xfe"}});
    return ControlReply{200, {{"records", 1}}};
  });
  auto client = ControlClient::Connect(socket_);
  ASSERT_TRUE(client.has_value());
  EXPECT_TRUE((*client)->Stream("GET", "/dump", Json::object(), [](const Json&) {}).has_value());
}

TEST_F(ControlTest, NobodyThereIsToldApart) {
  const auto client = ControlClient::Connect(socket_);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, ExitCode::kNoDaemon);
  EXPECT_EQ(client.error().text,
            "no daemon answers at " + socket_ + "; start one with `amphora serve`");
}

TEST_F(ControlTest, BadRequestsAreRefusedAndTheServerLives) {
  std::atomic<int> handled{0};
  auto server = Serve([&](const ControlRequest&, const LineSink&) {
    ++handled;
    return ControlReply{200, {{"fine", true}}};
  });
  const auto body = [](const std::string& text) {
    return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(text.size()) +
           "\r\n\r\n" + text;
  };
  EXPECT_NE(Raw(body("{")).find("400"), std::string::npos);
  EXPECT_NE(Raw(body("[1]")).find("400"), std::string::npos);
  EXPECT_NE(Raw(body(std::string(100 << 10, 'x'))).find("413"), std::string::npos);
  EXPECT_NE(Raw("GET /x HTTP/1.1\r\nX: " + std::string(20 << 10, 'x') + "\r\n\r\n").find("413"),
            std::string::npos);
  EXPECT_EQ(Raw("not http at all\r\n\r\n"), "");
  EXPECT_NE(Raw("GET x HTTP/1.1\r\nHost: a\r\n\r\n").find("400"), std::string::npos);
  EXPECT_EQ(handled.load(), 0);
  auto client = ControlClient::Connect(socket_);
  ASSERT_TRUE(client.has_value());
  EXPECT_TRUE((*client)->Call("GET", "/x", Json::object()).has_value());
}

TEST_F(ControlTest, ALiveSocketIsNotTakenOver) {
  auto server = Serve([](const ControlRequest&, const LineSink&) { return ControlReply{}; });
  const auto second = ControlServer::Start(
      socket_, [](const ControlRequest&, const LineSink&) { return ControlReply{}; });
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().text.find("pid " + std::to_string(getpid())), std::string::npos)
      << second.error().text;
}

TEST_F(ControlTest, ADeadSocketIsTakenOver) {
  std::filesystem::create_directories(directory_ + "/below");
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);  // the name stays, as after kill -9
  auto server = Serve([](const ControlRequest&, const LineSink&) { return ControlReply{}; });
  EXPECT_TRUE(ControlClient::Connect(socket_).has_value());
}

TEST_F(ControlTest, AFileInTheWayIsKept) {
  std::filesystem::create_directories(directory_ + "/below");
  std::ofstream(socket_) << "precious";
  const auto server = ControlServer::Start(
      socket_, [](const ControlRequest&, const LineSink&) { return ControlReply{}; });
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(std::filesystem::file_size(socket_), 8u);
}

TEST_F(ControlTest, EndingWaitsForAnswersAndWakesIdleClients) {
  std::atomic<bool> inside{false};
  std::atomic<bool> go_on{false};
  auto server = Serve([&](const ControlRequest& request, const LineSink&) {
    if (request.path.front() == "slow") {
      inside.store(true);
      inside.notify_all();
      go_on.wait(false);
    }
    return ControlReply{200, {{"fine", true}}};
  });
  auto idle = ControlClient::Connect(socket_);
  ASSERT_TRUE(idle.has_value());
  ASSERT_TRUE((*idle)->Call("GET", "/quick", Json::object()).has_value());
  bool answered = false;
  std::thread slow([&] {
    auto client = ControlClient::Connect(socket_);
    answered = client.has_value() && (*client)->Call("GET", "/slow", Json::object()).has_value();
  });
  inside.wait(false);
  std::thread ending([&] { server.reset(); });
  go_on.store(true);
  go_on.notify_all();
  slow.join();
  ending.join();
  EXPECT_TRUE(answered);
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

}  // namespace
}  // namespace amphora::cli
