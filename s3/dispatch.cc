#include "s3/dispatch.h"

#include <cstdint>

#include "meta/base/clock.h"
#include "meta/base/log.h"
#include "meta/base/log_limit.h"
#include "meta/base/metrics.h"
#include "meta/base/trouble.h"
#include "s3/browser/answer.h"
#include "s3/gate.h"
#include "s3/reserved.h"
#include "s3/router.h"

namespace amphora::s3 {
namespace {

// What is ours to explain: not what is not built, nor what only has to come again.
bool IsTrouble(const Failure& failure) {
  return failure.status >= 500 && failure.status != 501 && failure.status != 503;
}

// One line, never a query (it may be a presigned signature) and never a header.
void LogFailure(const Failure& failure, std::string_view method, std::string_view resource,
                std::string_view request_id, std::string_view client) {
  if (failure.status >= 400) {
    Count(failure.status >= 500 ? Counter::kS3Errors5xx : Counter::kS3Errors4xx);
  }
  if (IsTrouble(failure)) {
    NoteTrouble(std::to_string(failure.status) + " " + std::string(failure.code), resource,
                failure.cause.empty() ? failure.message : failure.cause);
  }
  if (!LogEnabled(failure.level)) return;
  std::string line = "s3 request failed";
  AppendField(line, "status", std::uint64_t{failure.status});
  AppendField(line, "code", failure.code);
  AppendField(line, "method", method);
  AppendField(line, "resource", resource);
  AppendField(line, "request_id", request_id);
  AppendField(line, "client", client);
  if (!failure.cause.empty()) AppendField(line, "cause", failure.cause);
  LogLimited(failure.level, "s3 request failed " + std::string(failure.code), std::move(line));
}

// `ran` becomes the operation's place in OperationNames() once it is known.
Task<Outcome<Response>> Run(Service& service, const Request& request, Body& body,
                            std::size_t& ran) {
  // First of all: what is not built does nothing and looks at nothing.
  auto operation = Route(request);
  if (!operation) co_return std::unexpected(std::move(operation.error()));
  ran = IndexOf(*operation);
  if (service.draining.load()) {
    Failure stopping(S3Code::kServiceUnavailable, "This server is stopping.");
    stopping.level = LogLevel::kInfo;
    stopping.headers.emplace_back("Retry-After", "1");
    co_return std::unexpected(std::move(stopping));
  }
  if (auto allowed = CheckBrowser(request, service.options); !allowed) {
    co_return std::unexpected(std::move(allowed.error()));
  }
  auto identity = Identify(service, request);
  if (!identity) co_return std::unexpected(std::move(identity.error()));
  body.SetForm(identity->payload, identity->chunk_signing);
  Call call{service, request, body, *identity};
  auto response = co_await (*operation)(call);
  co_return std::move(response);
}

// An answer that says what somebody else's commit did must not be given before that commit is
// durable: after a crash it would have been a lie (hazards 5.9).
bool RestsOnState(const Failure& failure) {
  return failure.status == 404 || failure.status == 409 || failure.status == 412 ||
         failure.status == 304;
}

}  // namespace

Response Refuse(const Failure& failure, std::string_view request_id) {
  LogFailure(failure, "-", "-", request_id, "-");
  Response response = Response::FromFailure(failure, "", request_id);
  response.CloseConnection();
  return response;
}

Task<Response> Answer(Service& service, const Request& request, Body& body,
                      std::string_view request_id) {
  Count(Counter::kS3Requests);
  if (IsReserved(request)) {
    if (auto allowed = CheckBrowser(request, service.options); !allowed) {
      co_return Response::FromFailure(allowed.error(), request.raw_path(), request_id);
    }
    co_return co_await AnswerReserved(service, request);
  }
  const std::int64_t began = MonotonicNow();
  std::size_t ran = SIZE_MAX;
  auto response = co_await Run(service, request, body, ran);
  if (response) {
    service.metrics.Record(ran, response->status(), MonotonicNow() - began);
    co_return std::move(*response);
  }
  Failure failure = std::move(response.error());
  if (RestsOnState(failure)) {
    auto settled = co_await Settle(service.engine, service.engine.NewestTicket());
    if (!settled.ok()) failure = FromEngine(settled.error(), Subject::kObject);
  }
  service.metrics.Record(ran, failure.status, MonotonicNow() - began);
  const std::string resource = request.Resource();
  LogFailure(failure, request.method_text(), resource, request_id,
             FindOrigin(request, service.trusted_proxies).client);
  // People who look through a bucket are told in a page, programs in S3's XML.
  if (WantsPage(request) && failure.status != 304) {
    co_return FailurePage(failure, resource, request_id);
  }
  co_return Response::FromFailure(failure, resource, request_id);
}

}  // namespace amphora::s3
