#include "s3/reserved.h"

#include "meta/base/metrics.h"

namespace amphora::s3 {

bool IsReserved(const Request& request) { return request.raw_path().starts_with("/-/"); }

std::string MetricsText() {
  std::string text;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    const std::string name = "amphora_" + std::string(CounterName(counter)) + "_total";
    text.append("# HELP ").append(name).append(" ").append(CounterHelp(counter)).append("\n");
    text.append("# TYPE ").append(name).append(" counter\n");
    text.append(name).append(" ").append(std::to_string(Value(counter))).append("\n");
  }
  return text;
}

Response AnswerReserved(Service& service, const Request& request) {
  if (!IsRead(request.method())) return Response::Text(405, "method not allowed\n");
  const std::string_view page = request.raw_path().substr(3);
  if (page == "healthy") return Response::Text(200, "healthy\n");
  if (page == "ready") {
    if (service.draining.load(std::memory_order_relaxed)) return Response::Text(503, "draining\n");
    if (service.engine.admin().Figures().poisoned) {
      return Response::Text(503, "the store accepts no more changes: a sync failed\n");
    }
    return Response::Text(200, "ready\n");
  }
  if (page != "metrics") return Response::Text(404, "no such page\n");
  Response response;
  response.AddHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.SetBody(MetricsText());
  return response;
}

}  // namespace amphora::s3
