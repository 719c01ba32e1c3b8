#include "tests/s3/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace amphora::test {
namespace {

constexpr int kPatienceMs = 30'000;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::string Reply::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::vector<std::string> Reply::XmlAll(std::string_view name) const {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  std::vector<std::string> found;
  for (std::size_t at = body.find(open); at != std::string::npos; at = body.find(open, at + 1)) {
    const std::size_t begin = at + open.size();
    found.push_back(body.substr(begin, body.find(close, begin) - begin));
  }
  return found;
}

std::string Reply::Xml(std::string_view name) const {
  const auto all = XmlAll(name);
  return all.empty() ? "" : all.front();
}

std::string RequestText(std::string_view method, std::string_view target, const HeaderList& headers,
                        std::string_view body) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  bool has_host = false;
  bool has_length = !(method == "PUT" || method == "POST" || !body.empty());
  for (const auto& [name, value] : headers) {
    text += name + ": " + value + "\r\n";
    has_host = has_host || Lower(name) == "host";
    has_length =
        has_length || Lower(name) == "content-length" || Lower(name) == "transfer-encoding";
  }
  if (!has_host) text += "Host: 127.0.0.1\r\n";
  if (!has_length) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append("\r\n").append(body);
}

HttpClient::HttpClient(std::uint16_t port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("can't connect to the server under test");
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

HttpClient::~HttpClient() { ::close(socket_); }

Reply HttpClient::Send(std::string_view method, std::string_view target, const HeaderList& headers,
                       std::string_view body) {
  SendRaw(RequestText(method, target, headers, body));
  return ReadReply(method == "HEAD");
}

bool HttpClient::SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HttpClient::Fill() {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, kPatienceMs) != 1) return false;
  char buffer[1 << 16];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  input_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

Reply HttpClient::ReadReply(bool head) {
  Reply reply;
  std::size_t end;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return reply;
  }
  const std::string top = input_.substr(0, end + 2);
  input_.erase(0, end + 4);
  const int status = std::stoi(top.substr(top.find(' ') + 1, 3));
  for (std::size_t at = top.find("\r\n") + 2; at < top.size();) {
    const std::size_t line_end = top.find("\r\n", at);
    const std::string line = top.substr(at, line_end - at);
    const std::size_t colon = line.find(": ");
    reply.headers[Lower(line.substr(0, colon))] = line.substr(colon + 2);
    at = line_end + 2;
  }
  const std::string length_text = reply.Header("content-length");
  const std::size_t length = head || length_text.empty() ? 0 : std::stoull(length_text);
  while (input_.size() < length) {
    if (!Fill()) return reply;  // cut: status stays 0
  }
  reply.body = input_.substr(0, length);
  input_.erase(0, length);
  reply.status = status;
  return reply;
}

bool HttpClient::WaitForClose() {
  if (!input_.empty()) return false;
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, kPatienceMs) != 1) return false;
  char byte;
  return ::recv(socket_, &byte, 1, 0) <= 0;
}

void HttpClient::CloseSending() { ::shutdown(socket_, SHUT_WR); }

}  // namespace amphora::test
