// /volumes and /volumes/V/buckets. What is answered is durable.
#include <ctime>

#include "cli/bucket_settings.h"
#include "cli/daemon/daemon.h"
#include "cli/daemon/routes.h"

namespace amphora::cli {
namespace {

fs::Caller CallerOf(const ControlRequest& request) {
  fs::Caller caller;
  caller.uid = request.peer.uid;
  caller.gid = request.peer.gid;
  return caller;
}

std::string ToUtc(Time time) {
  const timespec value = time.ToTimespec();
  std::tm parts{};
  gmtime_r(&value.tv_sec, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Json ToJson(const fs::VolumeInfo& volume) {
  return {{"name", volume.name}, {"owner", volume.owner}, {"created", ToUtc(volume.created)}};
}

std::string ToText(const fs::BucketPath& path) { return "/" + path.volume + "/" + path.name; }

Json ToJson(const fs::BucketInfo& bucket) {
  Json answer = {{"volume", bucket.volume},
                 {"name", bucket.name},
                 {"owner", bucket.owner},
                 {"created", ToUtc(bucket.created)}};
  if (bucket.link_target) answer["link_to"] = ToText(*bucket.link_target);
  return answer;
}

// Of a bucket that can't go because links show it.
std::string LinksText(fs::Buckets& buckets, const std::string& volume, const std::string& name) {
  const auto bucket = buckets.FindBucket(volume, name);
  const auto links = bucket.ok() ? buckets.LinksTo(bucket->id)
                                 : Result<std::vector<fs::BucketPath>>(bucket.error());
  std::string text;
  if (!links.ok()) return text;
  for (const fs::BucketPath& link : *links) text += (text.empty() ? "" : ", ") + ToText(link);
  return text;
}

std::string BucketPath(const ControlRequest& request) {
  return "bucket /" + request.path.at(1) + "/" + request.path.at(3);
}

}  // namespace

ControlReply ListVolumes(Daemon& daemon, const ControlRequest&, const LineSink&) {
  const auto volumes = daemon.engine().buckets().ListVolumes();
  if (!volumes.ok()) return ErrorReply("cannot list volumes", volumes.error());
  Json list = Json::array();
  for (const fs::VolumeInfo& volume : *volumes) list.push_back(ToJson(volume));
  return {200, {{"volumes", std::move(list)}}};
}

ControlReply CreateVolume(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const std::string name = request.body.at("name").get<std::string>();
  fs::Engine& engine = daemon.engine();
  const auto made = engine.buckets().CreateVolume(CallerOf(request), request.peer.user, name);
  if (made.Is(ErrorCode::kExists)) {
    return ErrorReply(409, "Exists", "volume /" + name + " exists already");
  }
  if (!made.ok()) return ErrorReply("cannot create volume /" + name, made.error());
  if (const Status settled = engine.WaitSettled(made->ticket); !settled.ok()) {
    return ErrorReply("cannot create volume /" + name, settled.error());
  }
  return {200, ToJson(made->info)};
}

ControlReply ShowVolume(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const auto volume = daemon.engine().buckets().GetVolume(request.path.at(1));
  if (!volume.ok()) return ErrorReply("volume /" + request.path.at(1), volume.error());
  const auto buckets = daemon.engine().buckets().ListBuckets(request.path.at(1));
  if (!buckets.ok()) return ErrorReply("volume /" + request.path.at(1), buckets.error());
  Json answer = ToJson(*volume);
  answer["buckets"] = buckets->size();
  return {200, std::move(answer)};
}

ControlReply DeleteVolume(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const std::string& name = request.path.at(1);
  const Result<fs::Ticket> gone = daemon.engine().buckets().DeleteVolume(name);
  if (gone.Is(ErrorCode::kNotEmpty)) {
    return ErrorReply(409, "NotEmpty", "volume /" + name + " has buckets; delete them first");
  }
  if (gone.Is(ErrorCode::kNotPermitted)) {
    return ErrorReply(403, "NotPermitted", "volume /" + name + " belongs to S3 and stays");
  }
  if (!gone.ok()) return ErrorReply("cannot delete volume /" + name, gone.error());
  const Status settled = daemon.engine().WaitSettled(*gone);
  if (!settled.ok()) return ErrorReply("cannot delete volume /" + name, settled.error());
  return {200, {{"deleted", "/" + name}}};
}

ControlReply ListBuckets(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const auto buckets = daemon.engine().buckets().ListBuckets(request.path.at(1));
  if (!buckets.ok()) return ErrorReply("volume /" + request.path.at(1), buckets.error());
  Json list = Json::array();
  for (const fs::BucketInfo& bucket : *buckets) list.push_back(ToJson(bucket));
  return {200, {{"buckets", std::move(list)}}};
}

ControlReply CreateBucket(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const std::string& volume = request.path.at(1);
  const std::string name = request.body.at("name").get<std::string>();
  const std::string what = "bucket /" + volume + "/" + name;
  fs::Engine& engine = daemon.engine();
  const auto made =
      engine.buckets().CreateBucket(CallerOf(request), request.peer.user, volume, name);
  if (made.Is(ErrorCode::kExists)) return ErrorReply(409, "Exists", what + " exists already");
  if (made.Is(ErrorCode::kNoSuchVolume)) {
    return ErrorReply(404, "NoSuchVolume",
                      "cannot create " + what + ": there is no volume /" + volume);
  }
  if (!made.ok()) return ErrorReply("cannot create " + what, made.error());
  if (const Status settled = engine.WaitSettled(made->ticket); !settled.ok()) {
    return ErrorReply("cannot create " + what, settled.error());
  }
  return {200, ToJson(made->info)};
}

ControlReply CreateLink(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const fs::BucketPath link{request.path.at(1), request.body.at("name").get<std::string>()};
  const fs::BucketPath target{request.body.at("target_volume").get<std::string>(),
                              request.body.at("target_bucket").get<std::string>()};
  const std::string what = "cannot link " + ToText(target) + " to " + ToText(link);
  fs::Engine& engine = daemon.engine();
  fs::Buckets& buckets = engine.buckets();
  const auto made = buckets.CreateLink(CallerOf(request), request.peer.user, target, link);
  if (made.Is(ErrorCode::kExists)) {
    return ErrorReply(409, "Exists", ToText(link) + " exists already");
  }
  // Which of the two places is missing?
  if (made.Is(ErrorCode::kNoSuchVolume) && buckets.GetVolume(target.volume).ok()) {
    return ErrorReply(404, "NoSuchVolume", what + ": there is no volume /" + link.volume);
  }
  if (made.Is(ErrorCode::kNoSuchVolume)) {
    return ErrorReply(404, "NoSuchVolume", what + ": there is no volume /" + target.volume);
  }
  if (made.Is(ErrorCode::kNoSuchBucket)) {
    return ErrorReply(404, "NoSuchBucket", what + ": there is no bucket " + ToText(target));
  }
  if (!made.ok()) return ErrorReply(what, made.error());
  if (const Status settled = engine.WaitSettled(made->ticket); !settled.ok()) {
    return ErrorReply(what, settled.error());
  }
  return {200, ToJson(made->info)};
}

ControlReply ShowBucket(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const auto bucket = daemon.engine().buckets().GetBucket(request.path.at(1), request.path.at(3));
  if (!bucket.ok()) return ErrorReply(BucketPath(request), bucket.error());
  Json answer = ToJson(*bucket);
  answer["objects"] = bucket->objects;
  answer["bytes"] = bucket->bytes;
  answer["inodes"] = bucket->inodes;
  answer["part_bytes"] = bucket->part_bytes;
  answer.update(WriteSettings(bucket->settings));
  return {200, std::move(answer)};
}

ControlReply SetBucket(Daemon& daemon, const ControlRequest& request, const LineSink& lines) {
  const std::string what = "cannot set " + BucketPath(request);
  const Outcome<fs::BucketSettingsChange> change = ReadSettings(request.body);
  if (!change) return ErrorReply(400, "BadRequest", what + ": " + change.error().text);
  fs::Engine& engine = daemon.engine();
  const auto set = engine.buckets().ChangeSettings(request.path.at(1), request.path.at(3), *change);
  if (!set.ok()) return ErrorReply(what, set.error());
  const Status settled = engine.WaitSettled(*set);
  if (!settled.ok()) return ErrorReply(what, settled.error());
  return ShowBucket(daemon, request, lines);
}

ControlReply DeleteBucket(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const std::string what = BucketPath(request);
  const auto gone = daemon.engine().buckets().DeleteBucket(request.path.at(1), request.path.at(3));
  if (gone.Is(ErrorCode::kBucketNotEmpty)) {
    return ErrorReply(409, "BucketNotEmpty", what + " is not empty; nothing was deleted");
  }
  if (gone.Is(ErrorCode::kBucketHasLinks)) {
    return ErrorReply(
        409, "BucketHasLinks",
        "links show " + what + ": " +
            LinksText(daemon.engine().buckets(), request.path.at(1), request.path.at(3)) +
            "; delete them first");
  }
  if (!gone.ok()) return ErrorReply("cannot delete " + what, gone.error());
  const Status settled = daemon.engine().WaitSettled(*gone);
  if (!settled.ok()) return ErrorReply("cannot delete " + what, settled.error());
  return {200, {{"deleted", "/" + request.path.at(1) + "/" + request.path.at(3)}}};
}

}  // namespace amphora::cli
