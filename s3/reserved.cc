#include "s3/reserved.h"

#include "s3/metrics_page.h"

namespace amphora::s3 {

// Below a bucket's own host every path is a key.
bool IsReserved(const Request& request) {
  return !request.virtual_host() && request.raw_path().starts_with("/-/");
}

namespace {

Response Ready(Service& service) {
  if (service.draining.load(std::memory_order_relaxed)) return Response::Text(503, "draining\n");
  if (service.engine.admin().Figures().poisoned) {
    return Response::Text(503, "the store accepts no more changes: a sync failed\n");
  }
  return Response::Text(200, "ready\n");
}

Response Metrics(Service& service) {
  Response response;
  response.AddHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.SetBody(MetricsPage(service));
  return response;
}

}  // namespace

Task<Response> AnswerReserved(Service& service, const Request& request) {
  if (!IsRead(request.method())) co_return Response::Text(405, "method not allowed\n");
  const std::string_view page = request.raw_path().substr(3);
  if (page == "healthy") co_return Response::Text(200, "healthy\n");
  // Both ask the store, which may wait for the disk.
  if (page == "ready") {
    auto ready = [&service] { return Ready(service); };
    co_return co_await OnPool(service.pool, ready);
  }
  if (page == "metrics") {
    auto metrics = [&service] { return Metrics(service); };
    co_return co_await OnPool(service.pool, metrics);
  }
  co_return Response::Text(404, "no such page\n");
}

}  // namespace amphora::s3
