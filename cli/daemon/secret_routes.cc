// /s3/secret: any local user gets and revokes the access key of their own name; root, and who runs
// the daemon, may name another. Secrets go to the peer only, never to the log.
#include <string_view>

#include "cli/daemon/daemon.h"
#include "cli/daemon/routes.h"
#include "cli/users.h"

namespace amphora::cli {
namespace {

constexpr std::size_t kMaxAccessKeyBytes = 128;

// Printable ASCII: what a credential scope can carry in a header.
bool IsAccessKey(std::string_view id) {
  if (id.empty() || id.size() > kMaxAccessKeyBytes) return false;
  for (const char c : id) {
    if (c <= ' ' || c > '~' || c == ',') return false;
  }
  return true;
}

// The access key's name, or an error reply's code and text.
struct Asked {
  std::string id;
  std::optional<ControlReply> refused;
};

Asked WhoseKey(const ControlRequest& request) {
  const std::string id = request.body.value("user", request.peer.user);
  if (!IsAccessKey(id)) {
    return {id, ErrorReply(
                    400, "invalid_argument",
                    "an access key is 1 to 128 printable ASCII characters without space or comma")};
  }
  if (id != request.peer.user && !request.peer.privileged) {
    return {id,
            ErrorReply(403, "NotPermitted",
                       "only root may name another's access key; yours is " + request.peer.user)};
  }
  return {id, std::nullopt};
}

// The local user behind `id`: itself, or a Kerberos principal's first component (user/host@REALM).
fs::Caller CallerFor(const std::string& id, const Peer& peer) {
  fs::Caller caller;
  std::optional<User> user = FindUser(id);
  if (!user) user = FindUser(id.substr(0, id.find_first_of("/@")));
  caller.uid = user ? user->uid : peer.uid;
  caller.gid = user ? user->gid : peer.gid;
  return caller;
}

}  // namespace

ControlReply GetSecret(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const Asked asked = WhoseKey(request);
  if (asked.refused) return *asked.refused;
  const Result<fs::AccessKey> key = daemon.engine().credentials().GetOrCreate(
      asked.id, CallerFor(asked.id, request.peer), asked.id);
  if (!key.ok()) return ErrorReply("access key " + asked.id, key.error());
  return {200, {{"awsAccessKey", key->id}, {"awsSecret", key->secret}}};
}

ControlReply RevokeSecret(Daemon& daemon, const ControlRequest& request, const LineSink&) {
  const Asked asked = WhoseKey(request);
  if (asked.refused) return *asked.refused;
  const Status revoked = daemon.engine().credentials().Revoke(asked.id);
  if (!revoked.ok()) return ErrorReply("access key " + asked.id, revoked.error());
  return {200, {{"revoked", asked.id}}};
}

}  // namespace amphora::cli
