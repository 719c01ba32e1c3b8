// One answer: status, header lines, and a body that is text, a part of an object, or nothing. The
// session adds what every answer has (Date, Server, request ids, length, connection). One thread at
// a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fs/objects.h"
#include "s3/error.h"

namespace amphora::s3 {

class Response {
 public:
  explicit Response(unsigned status = 200) : status_(status) {}
  // An XML document, its declaration put in front.
  static Response Xml(std::string document);
  static Response Text(unsigned status, std::string text);
  // The answer to a failed request; `resource` as in Request::Resource().
  static Response FromFailure(const Failure& failure, std::string_view resource,
                              std::string_view request_id);

  unsigned status() const { return status_; }
  void set_status(unsigned status) { status_ = status; }

  // One header line. Control characters in `value` become blanks: nothing stored or sent by a
  // client can end a line.
  void AddHeader(std::string_view name, std::string_view value);
  const std::string& header_lines() const { return header_lines_; }

  void SetBody(std::string body) { body_ = std::move(body); }
  const std::string& body() const { return body_; }

  // [offset, offset + length) of the object is the body.
  void SetObject(std::unique_ptr<fs::ObjectReader> reader, std::uint64_t offset,
                 std::uint64_t length);
  fs::ObjectReader* reader() const { return reader_.get(); }
  std::uint64_t object_offset() const { return object_offset_; }

  // What Content-Length says: also for HEAD, where no body follows. Nothing: the answer has none.
  void DeclareLength(std::uint64_t length) { declared_length_ = length; }
  std::optional<std::uint64_t> content_length() const;

  // The connection can't go on after this answer.
  void CloseConnection() { close_connection_ = true; }
  bool close_connection() const { return close_connection_; }

 private:
  unsigned status_;
  std::string header_lines_;
  std::string body_;
  std::unique_ptr<fs::ObjectReader> reader_;
  std::uint64_t object_offset_ = 0;
  std::optional<std::uint64_t> declared_length_;
  bool close_connection_ = false;
};

}  // namespace amphora::s3
