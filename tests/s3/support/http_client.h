// A tiny HTTP client on a raw socket: sends exactly the bytes it is told, so that tests can be
// wrong on purpose. Every wait is bounded; a test that runs into the bound fails.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace amphora::test {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Reply {
  int status = 0;                              // 0: the connection ended before an answer
  std::map<std::string, std::string> headers;  // lower-case names
  std::string body;

  std::string Header(const std::string& lower_case_name) const;
  // The text of the first <name> element of the body, as it stands; empty when there is none.
  std::string Xml(std::string_view name) const;
  std::vector<std::string> XmlAll(std::string_view name) const;
  std::string Code() const { return Xml("Code"); }
};

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends a request with Host and, when there is a body or the method is PUT or POST,
  // Content-Length (unless `headers` has its own or a Transfer-Encoding), and reads the answer.
  Reply Send(std::string_view method, std::string_view target, const HeaderList& headers = {},
             std::string_view body = {});

  // False when the server has closed.
  bool SendRaw(std::string_view bytes);
  // `head`: the answer to HEAD, which has no body. An interim 100 is given back as an answer.
  Reply ReadReply(bool head = false);
  // Waits for the server to close; false when it sends something or stays.
  bool WaitForClose();
  void CloseSending();

 private:
  bool Fill();

  int socket_ = -1;
  std::string input_;
};

// The text of a request, as Send sends it.
std::string RequestText(std::string_view method, std::string_view target,
                        const HeaderList& headers = {}, std::string_view body = {});

}  // namespace amphora::test
