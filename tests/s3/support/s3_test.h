// A real engine with a bucket "bucket", a real server on a free port, and a client.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "s3/server.h"
#include "tests/s3/support/http_client.h"
#include "tests/support/engine_fixture.h"

namespace amphora::test {

class S3Test : public EngineTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Ends the server and starts another with `options` (listening on 127.0.0.1, port 0).
  void Restart(s3::ServerOptions options);

  // On one connection that is opened again after the server closed it.
  Reply Send(std::string_view method, std::string_view target, const HeaderList& headers = {},
             std::string_view body = {});
  Reply Get(std::string_view target, const HeaderList& headers = {}) {
    return Send("GET", target, headers);
  }
  Reply Put(std::string_view target, std::string_view body, const HeaderList& headers = {}) {
    return Send("PUT", target, headers, body);
  }
  // The connection of Send.
  HttpClient& client();
  void NewConnection() { client_.reset(); }

  // A dump of every record of the store but the reservations of ids, to compare before and after.
  std::string Dump();
  // A request that must work, whatever came before.
  void ExpectAlive();

  std::unique_ptr<s3::Server> server_;
  std::unique_ptr<HttpClient> client_;
};

// `size` bytes that differ from place to place.
std::string Pattern(std::size_t size, unsigned seed = 1);

}  // namespace amphora::test
