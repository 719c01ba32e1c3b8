#include "mount/membership.h"

#include <fstream>
#include <sstream>
#include <string>

namespace amphora::mount {
namespace {

constexpr unsigned kMaySetIds = 4;  // CAP_FSETID (capabilities(7))

fs::Membership Ask(fuse_req_t request) {
  const fuse_ctx* caller = fuse_req_ctx(request);
  std::ifstream status("/proc/" + std::to_string(caller->pid) + "/status");
  fs::Membership member = ParseMembership(status);
  if (!status.is_open()) member.may_set_ids = caller->uid == 0;
  member.groups.push_back(caller->gid);
  return member;
}

}  // namespace

fs::Membership ParseMembership(std::istream& status) {
  fs::Membership member;
  std::string line;
  while (std::getline(status, line)) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "Groups:") {
      for (std::uint32_t group = 0; words >> group;) member.groups.push_back(group);
    } else if (key == "CapEff:") {
      std::uint64_t capabilities = 0;
      words >> std::hex >> capabilities;
      member.may_set_ids = (capabilities >> kMaySetIds & 1) != 0;
    }
  }
  return member;
}

fs::MembershipSource MembershipOf(fuse_req_t request) {
  return [request] { return Ask(request); };
}

}  // namespace amphora::mount
