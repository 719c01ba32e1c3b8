#include "s3/browser/answer.h"

#include <utility>

#include "s3/browser/page.h"

namespace amphora::s3 {

Response PageAnswer(unsigned status, std::string html) {
  Response response(status);
  response.AddHeader("Content-Type", "text/html; charset=utf-8");
  response.AddHeader("Content-Security-Policy", BrowserPolicy());
  response.AddHeader("X-Content-Type-Options", "nosniff");
  // A presigned address must reach no other site and no shared cache.
  response.AddHeader("Referrer-Policy", "no-referrer");
  response.AddHeader("Cache-Control", "private, no-store");
  response.SetBody(std::move(html));
  return response;
}

bool WantsPage(const Request& request) {
  const bool reads = request.method() == Method::kGet || request.method() == Method::kHead;
  return reads && !request.bucket().empty() && request.key().empty() &&
         request.QueryValue("browser") == "true";
}

Response FailurePage(const Failure& failure, std::string_view resource,
                     std::string_view request_id) {
  Response response =
      PageAnswer(failure.status, RenderFailure({.status = failure.status,
                                                .reason = ReasonPhrase(failure.status),
                                                .code = failure.code,
                                                .message = failure.message,
                                                .resource = resource,
                                                .request_id = request_id}));
  for (const auto& [name, value] : failure.headers) response.AddHeader(name, value);
  return response;
}

}  // namespace amphora::s3
