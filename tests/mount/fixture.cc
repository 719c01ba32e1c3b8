#include "tests/mount/fixture.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "meta/base/failpoint.h"
#include "meta/base/log.h"
#include "mount/system.h"

namespace amphora::mount {

void MountFixture::SetUpAt(const std::string& parent) {
  ASSERT_EQ(access("/dev/fuse", R_OK | W_OK), 0) << "these tests need /dev/fuse";
  SetUpLog({.level = LogLevel::kWarning, .file = {}});
  std::string pattern = parent + "/amphora-mount-test-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  base_ = pattern;
  ASSERT_EQ(chmod(base_.c_str(), 0755), 0);
  data_ = base_ + "/data";
  WatchOverMounts();
  OpenEngine();
  ASSERT_TRUE(engine_ != nullptr);
  if (!engine_->buckets().FindBucket("s3v", "bucket").ok()) {
    ASSERT_TRUE(engine_->buckets().CreateBucket(Self(), "root", "s3v", "bucket").ok());
  }
  const auto bucket = engine_->buckets().FindBucket("s3v", "bucket");
  ASSERT_TRUE(bucket.ok());
  bucket_ = bucket->id;
}

void MountFixture::WatchOverMounts() {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  watcher_ = fork();
  ASSERT_GE(watcher_, 0);
  alive_ = Fd(ends[1]);
  const Fd other(ends[0]);
  if (watcher_ != 0) return;
  // The child: it may not rely on the parent's threads or locks. Nothing but the pipe may keep the
  // parent's files open.
  dup2(ends[0], 0);
  close_range(3, ~0u, 0);
  char byte;
  while (read(0, &byte, 1) < 0 && errno == EINTR) {
  }
  for (const char* name : {"/mnt", "/one", "/two", "/second", "/store", "/volume", "/bucket"}) {
    const std::string path = base_ + name;
    if (umount2(path.c_str(), MNT_FORCE | MNT_DETACH) == 0 || errno != EPERM) continue;
    const pid_t helper = fork();
    if (helper == 0) {
      execlp("fusermount3", "fusermount3", "-q", "-u", "-z", path.c_str(), nullptr);
      _exit(1);
    }
    waitpid(helper, nullptr, 0);
  }
  _exit(0);
}

void MountFixture::OpenEngine() {
  fs::EngineOptions options;
  options.data_directory = data_;
  auto engine = fs::Engine::Open(options);
  ASSERT_TRUE(engine.ok()) << engine.error().ToString();
  engine_ = std::move(*engine);
}

void MountFixture::TearDown() {
  DisarmAllFailpoints();
  engine_.reset();
  alive_.Close();
  if (watcher_ > 0) waitpid(watcher_, nullptr, 0);
  std::error_code ignored;
  if (!base_.empty()) std::filesystem::remove_all(base_, ignored);
}

MountOptions MountFixture::OptionsFor(const std::string& name, const Mode& mode) {
  MountOptions options;
  options.source = "s3v/bucket";
  options.directory = base_ + "/" + name;
  options.use_passthrough = mode.passthrough;
  options.use_io_uring = mode.io_uring;
  std::filesystem::create_directories(options.directory);
  return options;
}

std::unique_ptr<Mount> MountFixture::MountOn(const std::string& name, const Mode& mode,
                                             const std::function<void(MountOptions&)>& change) {
  MountOptions options = OptionsFor(name, mode);
  if (change) change(options);
  auto mount = Mount::Start(*engine_, options);
  EXPECT_TRUE(mount.ok()) << mount.error().ToString();
  return mount.ok() ? std::move(*mount) : nullptr;
}

fs::Caller MountFixture::Self() { return {.uid = geteuid(), .gid = getegid(), .origin = {}}; }

void MountFixture::Put(const std::string& key, const std::string& content) {
  auto writer = engine_->objects().BeginPut(
      {.bucket = bucket_, .key = key, .declared_size = content.size(), .digests = {}});
  ASSERT_TRUE(writer.ok()) << key << ": " << writer.error().ToString();
  const Status appended = (*writer)->Append(std::as_bytes(std::span(content)));
  ASSERT_TRUE(appended.ok());
  fs::PutOptions options;
  options.caller = Self();
  const auto put = (*writer)->Commit(options);
  ASSERT_TRUE(put.ok()) << key << ": " << put.error().ToString();
  ASSERT_TRUE(engine_->WaitSettled(put->ticket).ok());
}

void MountFixture::Delete(const std::string& key) {
  const auto deleted = engine_->objects().Delete(Self(), bucket_, key);
  ASSERT_TRUE(deleted.ok()) << key << ": " << deleted.error().ToString();
  ASSERT_TRUE(engine_->WaitSettled(deleted->ticket).ok());
}

Result<fs::ObjectInfo> MountFixture::Head(const std::string& key) {
  return engine_->objects().Head(bucket_, key);
}

std::string MountFixture::Get(const std::string& key) {
  auto reader = engine_->objects().Open(bucket_, key);
  if (!reader.ok()) return "(" + reader.error().ToString() + ")";
  std::string content((*reader)->info().size, '\0');
  const auto read = (*reader)->Read(0, std::as_writable_bytes(std::span(content)));
  if (!read.ok() || *read != content.size()) return "(short)";
  return content;
}

std::vector<std::string> MountFixture::ListKeys(const std::string& prefix) {
  std::vector<std::string> keys;
  fs::ListRequest request{
      .bucket = bucket_, .prefix = prefix, .delimiter = {}, .start_after = {}, .limit = 1000};
  while (true) {
    const auto page = engine_->objects().List(request);
    EXPECT_TRUE(page.ok());
    if (!page.ok()) return keys;
    for (const fs::ObjectInfo& object : page->objects) keys.push_back(object.key);
    if (!page->truncated) return keys;
    request.start_after = page->next;
  }
}

void MountFixture::Settle() { ASSERT_TRUE(engine_->WaitSettled(engine_->NewestTicket()).ok()); }

void ModeTest::SetUp() {
  if (GetParam().passthrough) AMPHORA_ROOT_ONLY("has no passthrough");
  if (GetParam().io_uring && !EnableUring().enabled) AMPHORA_ROOT_ONLY("can't turn on io_uring");
  MountFixture::SetUp();
  if (HasFatalFailure()) return;
  root_ = base_ + "/mnt";
  mount_ = MountOn("mnt", GetParam());
  ASSERT_TRUE(mount_ != nullptr);
  ASSERT_EQ(mount_->figures().io_uring, GetParam().io_uring) << mount_->figures().io_uring_reason;
  ASSERT_EQ(mount_->figures().passthrough, GetParam().passthrough)
      << mount_->figures().passthrough_reason;
  ASSERT_EQ(chmod(root_.c_str(), 0777), 0);
}

std::uint64_t ModeTest::RequestsOnceClosed(std::uint64_t still_open) const {
  while (engine_->admin().Figures().open_handles > still_open) std::this_thread::yield();
  return Requests();
}

void ModeTest::TearDown() {
  mount_.reset();
  MountFixture::TearDown();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "(can't open: " + std::string(strerror(errno)) + ")";
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

bool WriteFile(const std::string& path, const std::string& content, int flags, mode_t mode) {
  Fd file(open(path.c_str(), O_WRONLY | O_CREAT | flags, mode));
  if (!file.ok()) return false;
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t written = write(file.get(), content.data() + done, content.size() - done);
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return file.Close() == 0;
}

struct stat StatOf(const std::string& path) {
  struct stat out = {};
  if (lstat(path.c_str(), &out) != 0) return {};
  return out;
}

int StatErrno(const std::string& path) {
  struct stat out;
  return lstat(path.c_str(), &out) == 0 ? 0 : errno;
}

std::set<std::string> NamesIn(const std::string& directory) {
  std::set<std::string> names;
  DIR* stream = opendir(directory.c_str());
  EXPECT_NE(stream, nullptr) << directory << ": " << strerror(errno);
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    EXPECT_TRUE(names.insert(name).second) << "listed twice: " << name;
  }
  closedir(stream);
  return names;
}

std::string Pattern(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 4 == 0) {
      const std::uint32_t word = static_cast<std::uint32_t>(random());
      memcpy(&out[i], &word, std::min<std::size_t>(4, size - i));
    }
  }
  return out;
}

void AsUser(uid_t uid, gid_t gid, const std::function<void()>& work) {
  std::thread thread([&] {
    // The raw calls change this thread alone, glibc's would change the process.
    ASSERT_EQ(unshare(CLONE_FS), 0);
    ASSERT_EQ(syscall(SYS_setgroups, 0, nullptr), 0);
    ASSERT_EQ(syscall(SYS_setresgid, gid, gid, gid), 0);
    ASSERT_EQ(syscall(SYS_setresuid, uid, uid, uid), 0);
    work();
  });
  thread.join();
}

}  // namespace amphora::mount
