// /check, /gc, /dump: long work, answered in lines as it goes on.
#include "cli/daemon/daemon.h"
#include "cli/daemon/routes.h"
#include "meta/base/clock.h"

namespace amphora::cli {
namespace {

constexpr std::int64_t kProgressEveryNs = 200'000'000;

// Sends at most five progress lines a second.
fs::ProgressFunction Reporter(const LineSink& lines) {
  return [&lines, last = std::int64_t{0}](const fs::Progress& progress) mutable {
    const std::int64_t now = MonotonicNow();
    if (now - last < kProgressEveryNs) return;
    last = now;
    lines({{"progress",
            {{"phase", progress.phase}, {"done", progress.done}, {"total", progress.total}}}});
  };
}

}  // namespace

ControlReply PostCheck(Daemon& daemon, const ControlRequest&, const LineSink& lines) {
  const Result<fs::CheckReport> report = daemon.engine().admin().Check(Reporter(lines));
  if (!report.ok()) return ErrorReply("check", report.error());
  Json findings = Json::array();
  for (const fs::Finding& finding : report->findings) {
    findings.push_back(
        {{"kind", finding.kind}, {"what", finding.what}, {"repair", finding.repair}});
  }
  return {200,
          {{"dentries", report->dentries},
           {"inodes", report->inodes},
           {"blobs", report->blobs},
           {"findings_total", report->findings_total},
           {"findings", std::move(findings)}}};
}

ControlReply PostGc(Daemon& daemon, const ControlRequest&, const LineSink& lines) {
  const Result<std::uint64_t> removed = daemon.engine().admin().CollectGarbage(Reporter(lines));
  if (!removed.ok()) return ErrorReply("gc", removed.error());
  return {200, {{"blobs_removed", *removed}}};
}

ControlReply GetDump(Daemon& daemon, const ControlRequest&, const LineSink& lines) {
  std::uint64_t records = 0;
  const Status dumped = daemon.engine().admin().Dump([&](std::string_view line) {
    ++records;
    return lines({{"record", line}});
  });
  if (!dumped.ok()) return ErrorReply("dump", dumped.error());
  return {200, {{"records", records}}};
}

}  // namespace amphora::cli
