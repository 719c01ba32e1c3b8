#include "s3/response.h"

#include "s3/xml.h"

namespace amphora::s3 {

Response Response::Xml(std::string document) {
  Response response(200);
  response.AddHeader("Content-Type", "application/xml");
  response.SetBody(std::move(document));
  return response;
}

Response Response::Text(unsigned status, std::string text) {
  Response response(status);
  response.AddHeader("Content-Type", "text/plain; charset=utf-8");
  response.SetBody(std::move(text));
  return response;
}

Response Response::FromFailure(const Failure& failure, std::string_view resource,
                               std::string_view request_id) {
  Response response(failure.status);
  for (const auto& [name, value] : failure.headers) response.AddHeader(name, value);
  if (failure.status == 304) return response;
  response.AddHeader("Content-Type", "application/xml");
  XmlWriter xml;
  xml.Open("Error");
  xml.Element("Code", failure.code);
  xml.Element("Message", failure.message);
  for (const auto& [name, value] : failure.details) xml.Element(name, value);
  xml.Element("Resource", resource);
  xml.Element("RequestId", request_id);
  xml.Close("Error");
  response.SetBody(std::move(xml).Finish());
  return response;
}

void Response::AddHeader(std::string_view name, std::string_view value) {
  header_lines_.append(name).append(": ");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    header_lines_.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
  header_lines_.append("\r\n");
}

void Response::SetObject(std::unique_ptr<fs::ObjectReader> reader, std::uint64_t offset,
                         std::uint64_t length) {
  reader_ = std::move(reader);
  object_offset_ = offset;
  declared_length_ = length;
}

std::optional<std::uint64_t> Response::content_length() const {
  if (declared_length_) return declared_length_;
  if (status_ == 204 || status_ == 304) return std::nullopt;
  return body_.size();
}

}  // namespace amphora::s3
