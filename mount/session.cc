// Mounting, serving and unmounting: the life of one FUSE session.
//
// Threads: libfuse's (one per CPU with io_uring, else a few) run the callbacks; one thread sits in
// libfuse's loop and cleans up after it; the reply pool's and the invalidator's are their own.
// Order at the end, whoever began it (Unmount, umount(8), a lost connection): the loop returns, the
// pool finishes, the engine stops sending changes, the handles whose RELEASE never came are
// released, and the session is given back, which closes the device: whoever still holds a file gets
// ENOTCONN.
#include "mount/session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <thread>
#include <vector>

#include "meta/base/log.h"
#include "mount/context.h"
#include "mount/dying.h"
#include "mount/elsewhere.h"
#include "mount/fuse.h"
#include "mount/limits.h"
#include "mount/ops.h"
#include "mount/system.h"

namespace amphora::mount {
namespace {

constexpr std::chrono::seconds kStartPatience(10);
constexpr std::chrono::milliseconds kLookAgain(5);

std::string OptionText(const MountOptions& options, bool io_uring) {
  std::string text = "default_permissions,subtype=amphora,fsname=amphora:/" + options.source;
  if (options.allow_other.value_or(MayAllowOther())) text += ",allow_other";
  if (options.read_only) text += ",ro";
  if (options.noexec) text += ",noexec";
  if (!options.relatime) text += ",noatime";  // so that mount(8) shows what is
  // libfuse starts with nosuid and nodev; only root may have them otherwise.
  const bool root = geteuid() == 0;
  text += options.nosuid || !root ? ",nosuid" : ",suid";
  text += options.nodev || !root ? ",nodev" : ",dev";
  if (io_uring) text += ",io_uring,io_uring_q_depth=" + std::to_string(UringDepth());
  return text;
}

struct SessionDeleter {
  void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
using SessionPointer = std::unique_ptr<fuse_session, SessionDeleter>;

SessionPointer NewSession(const std::string& option_text, Context& context) {
  std::vector<std::string> words = {"amphora", "-o", option_text};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(arguments.size()), arguments.data());
  const fuse_lowlevel_ops operations = Operations(context.options);
  SessionPointer session(fuse_session_new(&args, &operations, sizeof operations, &context));
  fuse_opt_free_args(&args);
  return session;
}

// The canonical path of a directory that can be mounted on.
Result<std::string> CheckDirectory(const std::string& directory) {
  if (!directory.starts_with('/')) {
    return Error(ErrorCode::kInvalidArgument, "the mount point must be an absolute path");
  }
  AMPHORA_ASSIGN(const bool detached, DetachDeadMount(directory));
  if (detached) Log(LogLevel::kInfo, "detached a dead mount on " + directory);
  const std::unique_ptr<char, decltype(&std::free)> path(realpath(directory.c_str(), nullptr),
                                                         std::free);
  if (path == nullptr) {
    if (errno == ENOENT) return Error(ErrorCode::kNotFound, "the mount point does not exist");
    if (errno == ENOTDIR) return Error(ErrorCode::kNotDirectory, "the mount point");
    if (errno == EACCES) return Error(ErrorCode::kNotPermitted, "the mount point can't be reached");
    return Error::FromErrno(errno, "the mount point");
  }
  struct stat attributes;
  if (stat(path.get(), &attributes) != 0) return Error::FromErrno(errno, "the mount point");
  if (!S_ISDIR(attributes.st_mode)) return Error(ErrorCode::kNotDirectory, "the mount point");
  AMPHORA_ASSIGN(const bool mounted, IsMountPoint(path.get()));
  if (mounted) return Error(ErrorCode::kBusy, "something is mounted on the mount point");
  return std::string(path.get());
}

// libfuse reports a failed mount by text alone; this finds out what it was.
Error WhyNotMounted() {
  const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
    return Error(ErrorCode::kIo, "this machine has no /dev/fuse", errno);
  }
  if (device < 0) return Error(ErrorCode::kNotPermitted, "/dev/fuse can't be opened", errno);
  close(device);
  return Error(ErrorCode::kNotPermitted, "the kernel or fusermount3 refused the mount");
}

UringSetting ChooseUring(const MountOptions& options) {
  if (!options.use_io_uring) return {.enabled = false, .note = "not asked for"};
  if (options.device >= 0) return {.enabled = false, .note = "mounted in another namespace"};
  if (options.shared_locks) {
    return {.enabled = false, .note = "locks=shared waits in the classic queue"};
  }
  return EnableUring();
}

class Session final : public Mount {
 public:
  Session(fs::Engine& engine, const MountOptions& options) : context_(engine, options) {}
  ~Session() override;

  Status Begin();
  Status Unmount(bool force) override;
  MountFigures figures() const override;

 private:
  void Serve();
  Status AwaitInit();
  Status AwaitFirstRequest();
  // Takes the mount away from where it is mounted.
  Status Detached(Detach how);
  void SettlePassthrough();
  void EndByForce();

  Context context_;
  UringSetting uring_;
  std::optional<unsigned> connection_;  // of a mount in another namespace
  std::mutex session_mutex_;            // guards the end of session_, which is its loop's
  SessionPointer session_;
  std::thread loop_;
  std::atomic<bool> serving_{false};
  std::mutex unmount_mutex_;  // one Unmount at a time
};

Status Session::Begin() {
  const MountOptions& options = context_.options;
  if (options.device < 0 && options.allow_other.value_or(false) && !MayAllowOther()) {
    return Error(ErrorCode::kNotPermitted, "allow_other: no user_allow_other in /etc/fuse.conf");
  }
  AMPHORA_ASSIGN(const fs::Attributes root, context_.engine.files().ResolvePath(options.source));
  if (root.kind != fs::FileKind::kDirectory) return Error(ErrorCode::kNotDirectory, "the source");
  context_.root = root.inode;
  RaiseRequestLimit(MaxWriteBytes(UsesUring(options)));
  uring_ = ChooseUring(options);
  session_ = NewSession(OptionText(options, uring_.enabled), context_);
  if (session_ == nullptr) return Error(ErrorCode::kInvalidArgument, "libfuse refused the options");

  context_.origin = context_.engine.AddSink(&context_.invalidator);
  const bool one_bucket = options.source.find('/') != std::string::npos;
  context_.invalidator.Start({.session = session_.get(),
                              .root = context_.root,
                              .origin = context_.origin,
                              .bucket = fs::BucketId(one_bucket ? context_.root.value() : 0),
                              .recent_names = &context_.recent_names});
  const bool elsewhere = options.device >= 0;
  const std::string point =
      elsewhere ? "/dev/fd/" + std::to_string(options.device) : options.directory;
  if (fuse_session_mount(session_.get(), point.c_str()) != 0) {
    context_.engine.RemoveSink(context_.origin);
    return WhyNotMounted();
  }
  if (elsewhere) connection_ = ConnectionOf(options.device);
  serving_ = true;
  loop_ = std::thread([this] { Serve(); });
  AMPHORA_TRY(AwaitInit());
  // The first request waits until the kernel has taken our answer to its greeting.
  AMPHORA_TRY(AwaitFirstRequest());
  SettlePassthrough();
  const NameInvalidation mode =
      context_.probe.Run(session_.get(), elsewhere ? options.view : options.directory);
  context_.invalidator.SetMode(mode);
  if (mode != NameInvalidation::kTimeout) context_.entry_timeout = kForever;
  return Ok();
}

Status Session::AwaitInit() {
  Negotiated& negotiated = context_.negotiated;
  std::unique_lock lock(negotiated.mutex);
  if (negotiated.changed.wait_for(lock, kStartPatience, [&] { return negotiated.done; }))
    return Ok();
  lock.unlock();
  EndByForce();
  return Error(ErrorCode::kTimedOut, "the kernel did not greet the new mount");
}

Status Session::AwaitFirstRequest() {
  if (context_.options.device < 0) {
    struct statfs ignored;
    if (statfs(context_.options.directory.c_str(), &ignored) == 0) return Ok();
    return Error::FromErrno(errno, "the new mount does not answer");
  }
  // Whoever mounted it asks; the daemon may not (the kernel keeps it out of another user
  // namespace's mounts).
  const auto limit = std::chrono::steady_clock::now() + kStartPatience;
  while (context_.requests == 0) {
    if (std::chrono::steady_clock::now() > limit) {
      EndByForce();
      return Error(ErrorCode::kTimedOut, "nobody used the mount in its namespace");
    }
    std::this_thread::sleep_for(kLookAgain);
  }
  return Ok();
}

void Session::SettlePassthrough() {
  if (!context_.options.use_passthrough) return;
  if (!context_.negotiated.passthrough_granted) {
    context_.passthrough.Disable("this kernel does not offer it");
    return;
  }
  context_.passthrough.Enable(fuse_session_fd(session_.get()),
                              context_.engine.admin().Figures().data_directory);
}

void Session::Serve() {
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 1);
  const unsigned threads = ClassicThreads(context_.options.threads);
  fuse_loop_cfg_set_max_threads(config, threads);
  fuse_loop_cfg_set_idle_threads(config, threads);
  const int result = fuse_session_loop_mt(session_.get(), config);
  fuse_loop_cfg_destroy(config);
  context_.pool.Stop();
  context_.engine.RemoveSink(context_.origin);  // its waits for locks go with it
  context_.invalidator.Stop();
  context_.pending.AwaitNone();
  context_.open_files.Clear();
  {
    std::lock_guard lock(session_mutex_);
    session_.reset();
  }
  serving_ = false;
  if (result < 0 && result != -ECONNABORTED) {  // that one is a forced unmount
    std::string line = "the loop of a mount ended with an error";
    AppendField(line, "mount", context_.options.directory);
    AppendField(line, "errno", static_cast<std::uint64_t>(-result));
    Log(LogLevel::kWarning, line);
  }
}

Status Session::Unmount(bool force) {
  std::lock_guard lock(unmount_mutex_);
  if (!loop_.joinable()) return Ok();
  if (serving_ && !force) {
    // umount(8) may have been quicker: then nothing is mounted here, and the loop is ending.
    const Status status = Detached(Detach::kIfIdle);
    if (!status.ok() && !status.Is(ErrorCode::kNotFound)) return status;
  } else if (serving_) {
    EndByForce();
  }
  loop_.join();
  return Ok();
}

Status Session::Detached(Detach how) {
  if (context_.options.device < 0) return UnmountDirectory(context_.options.directory, how);
  if (how == Detach::kIfIdle) {
    return Error(ErrorCode::kBusy, "umount it in the namespace where it is mounted");
  }
  const bool aborted = connection_ && AbortConnection(*connection_);
  return aborted ? Ok() : Status(Error(ErrorCode::kNotPermitted, "aborting the connection"));
}

void Session::EndByForce() {
  const Status status = Detached(Detach::kAborting);
  if (!status.ok() && !status.Is(ErrorCode::kNotFound)) {
    Log(LogLevel::kWarning,
        "unmounting " + context_.options.directory + ": " + status.error().ToString());
  }
  std::lock_guard lock(session_mutex_);
  if (session_ != nullptr) fuse_session_exit(session_.get());
}

MountFigures Session::figures() const {
  MountFigures figures;
  figures.source = context_.options.source;
  figures.directory = context_.options.directory;
  figures.alive = serving_;
  figures.read_only = context_.options.read_only;
  figures.passthrough = context_.passthrough.possible();
  figures.passthrough_reason = context_.passthrough.reason();
  figures.io_uring = context_.io_uring_seen;
  figures.io_uring_reason = uring_.note;
  if (uring_.enabled && !figures.io_uring) {
    figures.io_uring_reason = "libfuse or the kernel fell back to the classic queue";
  }
  figures.name_invalidation = ToText(context_.invalidator.mode());
  figures.requests = context_.requests;
  figures.invalidations = context_.invalidator.sent();
  return figures;
}

Session::~Session() {
  const Status status = Unmount(true);
  if (!status.ok()) Log(LogLevel::kError, "unmounting failed: " + status.error().ToString());
  context_.invalidator.Stop();
}

}  // namespace

Result<std::unique_ptr<Mount>> Mount::Start(fs::Engine& engine, const MountOptions& options) {
  MountOptions checked = options;
  while (checked.source.starts_with('/')) checked.source.erase(0, 1);
  while (checked.source.ends_with('/')) checked.source.pop_back();
  if (options.device < 0) {
    AMPHORA_ASSIGN(checked.directory, CheckDirectory(options.directory));
  }
  auto session = std::make_unique<Session>(engine, checked);
  AMPHORA_TRY(session->Begin());
  return std::unique_ptr<Mount>(std::move(session));
}

}  // namespace amphora::mount
