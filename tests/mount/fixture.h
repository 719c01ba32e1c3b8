// A real engine in a fresh directory and real kernel mounts of it. Needs /dev/fuse; without it the
// tests fail. A user who is not root mounts by fusermount3 and skips the modes with passthrough.
// Everything is taken down at the end of each test.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "fs/engine.h"
#include "mount/session.h"
#include "tests/support/root_only.h"

namespace amphora::mount {

// How the kernel is served: each suite runs in all four.
struct Mode {
  bool passthrough = true;
  bool io_uring = true;
};
inline std::string NameOf(const Mode& mode) {
  return std::string(mode.io_uring ? "Uring" : "Classic") +
         (mode.passthrough ? "Passthrough" : "Daemon");
}
inline void PrintTo(const Mode& mode, std::ostream* out) { *out << NameOf(mode); }

inline const std::vector<Mode> kAllModes = {
    {true, true}, {true, false}, {false, true}, {false, false}};
inline std::string ModeName(const ::testing::TestParamInfo<Mode>& info) {
  return NameOf(info.param);
}

// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  // close(2)'s answer.
  int Close() { return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

class MountFixture : public ::testing::Test {
 protected:
  void SetUp() override { SetUpAt("/tmp"); }
  void SetUpAt(const std::string& parent);
  void TearDown() override;

  // Mounts `source` (default: the bucket) on a directory of its own.
  std::unique_ptr<Mount> MountOn(const std::string& name, const Mode& mode,
                                 const std::function<void(MountOptions&)>& change = {});
  void OpenEngine();
  MountOptions OptionsFor(const std::string& name, const Mode& mode);

  // Who runs the tests: the owner of what they make by the engine.
  static fs::Caller Self();
  // S3's way: as the endpoint does it, answered when settled.
  void Put(const std::string& key, const std::string& content);
  void Delete(const std::string& key);
  Result<fs::ObjectInfo> Head(const std::string& key);
  std::string Get(const std::string& key);
  std::vector<std::string> ListKeys(const std::string& prefix = "");
  // Every change so far is durable and every kernel has been told.
  void Settle();

  // A process that holds files of its own mounts can't die: the kernel waits for it to answer. If
  // this one is killed, a child takes the mounts away by force.
  void WatchOverMounts();

  std::string base_;  // temporary directory
  std::string data_;
  std::unique_ptr<fs::Engine> engine_;
  fs::BucketId bucket_;

 private:
  Fd alive_;  // closed when this process ends, whatever way
  pid_t watcher_ = -1;
};

// One mount of the bucket at root(), in the mode of the parameter.
class ModeTest : public MountFixture, public ::testing::WithParamInterface<Mode> {
 protected:
  void SetUp() override;
  void TearDown() override;
  const std::string& root() const { return root_; }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  Mount& mount() { return *mount_; }
  std::uint64_t Requests() const { return mount_->figures().requests; }
  // The same once the RELEASEs of closed files, which the kernel sends behind our back, have
  // arrived.
  std::uint64_t RequestsOnceClosed(std::uint64_t still_open = 0) const;

  std::string root_;
  std::unique_ptr<Mount> mount_;
};

// Small helpers of system calls; failures are reported by the test that calls them.
std::string ReadFile(const std::string& path);
bool WriteFile(const std::string& path, const std::string& content, int flags = O_TRUNC,
               mode_t mode = 0644);
struct stat StatOf(const std::string& path);  // st_ino 0 when there is none
int StatErrno(const std::string& path);       // 0 or errno of lstat(2)
std::set<std::string> NamesIn(const std::string& directory);
std::string Pattern(std::size_t size, unsigned seed = 1);
// Runs `work` on a thread with these ids, no groups and a umask of its own.
void AsUser(uid_t uid, gid_t gid, const std::function<void()>& work);

}  // namespace amphora::mount
