// POST /browse: the address of the bucket browser. With --auth keys it is signed with the asking
// user's own access key (made when there is none, as by `s3 getsecret`); the secret stays here.
#include "cli/daemon/daemon.h"
#include "cli/daemon/routes.h"
#include "cli/users.h"
#include "s3/browser/links.h"
#include "s3/host.h"

namespace amphora::cli {
namespace {

constexpr std::int64_t kMaxSeconds = 7 * 24 * 3600;  // AWS's limit of a presigned address

// The name under which S3 shows the bucket: its own in /s3v, or that of a link there.
Result<std::string> ShownName(fs::Buckets& buckets, const fs::BucketPath& path) {
  AMPHORA_ASSIGN(const fs::BucketInfo bucket, buckets.FindBucket(path.volume, path.name));
  if (path.volume == fs::kS3Volume) return path.name;
  if (bucket.link_target && bucket.link_target->volume == fs::kS3Volume) {
    return bucket.link_target->name;
  }
  AMPHORA_ASSIGN(const auto links, buckets.LinksTo(bucket.id));
  for (const fs::BucketPath& link : links) {
    if (link.volume == fs::kS3Volume) return link.name;
  }
  return std::string();
}

bool IsBase(std::string_view base) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!base.starts_with(scheme)) continue;
    std::string_view host = base.substr(scheme.size());
    if (host.ends_with('/')) host.remove_suffix(1);
    return s3::IsHost(host);
  }
  return false;
}

Result<std::optional<s3::Signing>> SigningFor(Daemon& daemon, const Peer& peer,
                                              std::int64_t expires_s) {
  if (daemon.config().s3.auth == s3::AuthMode::kOpen) return std::optional<s3::Signing>();
  fs::Caller caller;
  caller.uid = peer.uid;
  caller.gid = peer.gid;
  AMPHORA_ASSIGN(const fs::AccessKey key,
                 daemon.engine().credentials().GetOrCreate(peer.user, caller, peer.user));
  return std::optional<s3::Signing>({.access_key = key.id,
                                     .secret = key.secret,
                                     .region = daemon.config().s3.region,
                                     .timestamp = s3::SigningTimestamp(Time::Now()),
                                     .expires_seconds = expires_s});
}

}  // namespace

ControlReply PostBrowse(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const fs::BucketPath path{request.body.at("volume").get<std::string>(),
                            request.body.at("bucket").get<std::string>()};
  const std::string text = "/" + path.volume + "/" + path.name;
  std::string base = request.body.value("url", "");
  if (base.empty()) base = daemon.s3().url();
  const auto expires_s = request.body.value("expires_s", std::int64_t{12 * 3600});
  if (!IsBase(base)) {
    return ErrorReply(400, "InvalidArgument", "--url must be http[s]://HOST[:PORT], not " + base);
  }
  if (expires_s < 1 || expires_s > kMaxSeconds) {
    return ErrorReply(400, "InvalidArgument", "--expires must be 1 to 604800 seconds");
  }
  const auto name = ShownName(daemon.engine().buckets(), path);
  if (!name.ok()) return ErrorReply("bucket " + text, name.error());
  if (name->empty()) {
    return ErrorReply(404, "NotShown",
                      "S3 does not show " + text + "; link it first: amphora bucket link " + text +
                          " /s3v/" + path.name);
  }
  const auto signing = SigningFor(daemon, request.peer, expires_s);
  if (!signing.ok()) return ErrorReply("access key " + request.peer.user, signing.error());
  Json answer = {{"url", s3::BrowserAddress(base, *name, "", *signing)}};
  if (*signing) answer["expires_s"] = expires_s;
  return {200, std::move(answer)};
}

}  // namespace amphora::cli
