// The floor: what a FUSE file system with these techniques costs when it does nothing but its duty.
// A yardstick for bench/run, not a product: see bench/README.md for what it leaves out.
//
// Callbacks run on libfuse's threads (with io_uring one pinned thread per CPU) and answer there,
// fsync too. FLUSH is always answered and pays for the second batch of a create, as Amphora must.
#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 18)

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "bench/floor/rows.h"
#include "bench/floor/tree.h"

namespace amphora::bench {
namespace {

constexpr double kForever = 1e9;  // seconds: nothing changes behind the kernel
// fuse_file_info::fh of a file:
constexpr std::uint64_t kPassthroughHandle = 1;
constexpr std::uint64_t kOrdinaryHandle = 0;

struct Floor {
  Tree* tree = nullptr;
  Rows* rows = nullptr;
  std::string data;
  std::string status_path;
  bool want_passthrough = true;
  bool passthrough = false;              // granted by the kernel
  std::atomic<bool> uring_seen = false;  // a request really came by io_uring

  // For bench/run: what was negotiated, not what was asked for.
  void WriteStatus() const {
    if (status_path.empty()) return;
    std::ofstream(status_path) << "io_uring=" << (uring_seen ? "on" : "off")
                               << " passthrough=" << (passthrough ? "on" : "off") << "\n";
  }
};

Floor& Self(fuse_req_t request) { return *static_cast<Floor*>(fuse_req_userdata(request)); }
Tree& TreeOf(fuse_req_t request) { return *Self(request).tree; }

Node* ToNode(fuse_req_t request, fuse_ino_t id) {
  return id == FUSE_ROOT_ID ? TreeOf(request).root() : reinterpret_cast<Node*>(id);
}

void NoteTransport(fuse_req_t request) {
  Floor& self = Self(request);
  if (self.uring_seen.load(std::memory_order_relaxed) || !fuse_req_is_uring(request)) return;
  self.uring_seen = true;
  self.WriteStatus();
}

struct stat WithBlocks(struct stat attributes) {
  attributes.st_blocks = (attributes.st_size + 511) / 512;
  return attributes;
}

fuse_entry_param Entry(Node* node, const struct stat& attributes) {
  fuse_entry_param entry = {};
  entry.ino = reinterpret_cast<fuse_ino_t>(node);
  entry.attr = WithBlocks(attributes);
  entry.attr_timeout = entry.entry_timeout = kForever;
  return entry;
}

void Init(void* user, fuse_conn_info* connection) {
  Floor& self = *static_cast<Floor*>(user);
  fuse_unset_feature_flag(connection, FUSE_CAP_AUTO_INVAL_DATA);
  fuse_set_feature_flag(connection, FUSE_CAP_EXPLICIT_INVAL_DATA);
  fuse_set_feature_flag(connection, FUSE_CAP_CACHE_SYMLINKS);
  fuse_set_feature_flag(connection, FUSE_CAP_PARALLEL_DIROPS);
  self.passthrough =
      self.want_passthrough && fuse_set_feature_flag(connection, FUSE_CAP_PASSTHROUGH);
  self.WriteStatus();
}

void Lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  NoteTransport(request);
  struct stat attributes;
  Node* node = TreeOf(request).Lookup(ToNode(request, parent), name, &attributes);
  fuse_entry_param entry = {};
  entry.entry_timeout = kForever;  // a miss is remembered too
  if (node != nullptr) entry = Entry(node, attributes);
  fuse_reply_entry(request, &entry);
}

void Forget(fuse_req_t request, fuse_ino_t ino, std::uint64_t count) {
  TreeOf(request).Forget(ToNode(request, ino), count);
  fuse_reply_none(request);
}

void ForgetMany(fuse_req_t request, std::size_t count, fuse_forget_data* forgotten) {
  for (std::size_t i = 0; i < count; ++i) {
    TreeOf(request).Forget(ToNode(request, forgotten[i].ino), forgotten[i].nlookup);
  }
  fuse_reply_none(request);
}

// The caller holds node.mutex.
void ReplyAttributes(fuse_req_t request, Node& node) {
  if (node.passthrough_opens > 0) TreeOf(request).RefreshFromFile(node);
  const struct stat attributes = WithBlocks(node.attributes);
  fuse_reply_attr(request, &attributes, node.passthrough_opens > 0 ? 0 : kForever);
}

void GetAttr(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
  NoteTransport(request);
  Node& node = *ToNode(request, ino);
  std::lock_guard guard(node.mutex);
  ReplyAttributes(request, node);
}

int ChangeAttributes(Tree& tree, Node& node, const struct stat& wanted, int which) {
  struct stat& attributes = node.attributes;
  if (which & FUSE_SET_ATTR_SIZE) {
    if (const int error = tree.Truncate(node, static_cast<std::uint64_t>(wanted.st_size))) {
      return error;
    }
  }
  const timespec now = Now();
  if (which & FUSE_SET_ATTR_MODE) {
    attributes.st_mode = (attributes.st_mode & S_IFMT) | (wanted.st_mode & 07777);
  }
  if (which & FUSE_SET_ATTR_UID) attributes.st_uid = wanted.st_uid;
  if (which & FUSE_SET_ATTR_GID) attributes.st_gid = wanted.st_gid;
  if (which & FUSE_SET_ATTR_ATIME) attributes.st_atim = wanted.st_atim;
  if (which & FUSE_SET_ATTR_MTIME) attributes.st_mtim = wanted.st_mtim;
  if (which & FUSE_SET_ATTR_ATIME_NOW) attributes.st_atim = now;
  if (which & FUSE_SET_ATTR_MTIME_NOW) attributes.st_mtim = now;
  attributes.st_ctim = now;
  node.dirty = true;
  return tree.Settle(node);
}

void SetAttr(fuse_req_t request, fuse_ino_t ino, struct stat* wanted, int which, fuse_file_info*) {
  Node& node = *ToNode(request, ino);
  std::lock_guard guard(node.mutex);
  const int error = ChangeAttributes(TreeOf(request), node, *wanted, which);
  if (node.opens == 0 && node.fd >= 0) close(std::exchange(node.fd, -1));
  if (node.opens == 0) node.buffered = false;
  if (error != 0) {
    fuse_reply_err(request, error);
    return;
  }
  ReplyAttributes(request, node);
}

// What a new name of the caller's starts with.
struct stat Wanted(fuse_req_t request, mode_t mode) {
  struct stat wanted = {};
  wanted.st_mode = mode;
  wanted.st_uid = fuse_req_ctx(request)->uid;
  wanted.st_gid = fuse_req_ctx(request)->gid;
  return wanted;
}

void MakeName(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
              const char* target) {
  Node* node = nullptr;
  const int error = TreeOf(request).Make(ToNode(request, parent), name, Wanted(request, mode),
                                         target, &node);
  if (error != 0) {
    fuse_reply_err(request, error);
    return;
  }
  const fuse_entry_param entry = Entry(node, node->attributes);
  fuse_reply_entry(request, &entry);
}

void MkDir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  MakeName(request, parent, name, S_IFDIR | mode, "");
}

void SymLink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  MakeName(request, parent, name, S_IFLNK | 0777, target);
}

void ReadLink(fuse_req_t request, fuse_ino_t ino) {
  fuse_reply_readlink(request, ToNode(request, ino)->target.c_str());
}

void Link(fuse_req_t request, fuse_ino_t ino, fuse_ino_t parent, const char* name) {
  Node* node = ToNode(request, ino);
  if (const int error = TreeOf(request).Link(node, ToNode(request, parent), name)) {
    fuse_reply_err(request, error);
    return;
  }
  std::lock_guard guard(node->mutex);
  const fuse_entry_param entry = Entry(node, node->attributes);
  fuse_reply_entry(request, &entry);
}

void Unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  fuse_reply_err(request, TreeOf(request).Remove(ToNode(request, parent), name, false));
}

void RmDir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  fuse_reply_err(request, TreeOf(request).Remove(ToNode(request, parent), name, true));
}

void Rename(fuse_req_t request, fuse_ino_t from, const char* old_name, fuse_ino_t to,
            const char* new_name, unsigned flags) {
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  fuse_reply_err(request, TreeOf(request).Rename(ToNode(request, from), old_name,
                                                 ToNode(request, to), new_name, flags == 0));
}

void Create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* info) {
  Node* node = nullptr;
  const int error = TreeOf(request).Make(ToNode(request, parent), name,
                                         Wanted(request, S_IFREG | mode), "", &node);
  if (error != 0) {
    fuse_reply_err(request, error);
    return;
  }
  std::lock_guard guard(node->mutex);
  node->opens = 1;
  info->fh = kOrdinaryHandle;
  info->keep_cache = 1;
  const fuse_entry_param entry = Entry(node, node->attributes);
  fuse_reply_create(request, &entry, info);
}

// Serves this handle from the backing file, if the kernel may: it does not mix such handles with
// cached ones. The caller holds node.mutex and has not counted the handle yet.
bool OpenPassthrough(fuse_req_t request, Node& node, fuse_file_info* info) {
  if (!Self(request).passthrough || node.opens != node.passthrough_opens) return false;
  if (node.passthrough_opens == 0) node.backing_id = fuse_passthrough_open(request, node.fd);
  if (node.backing_id <= 0) return false;
  ++node.passthrough_opens;
  info->backing_id = node.backing_id;
  info->fh = kPassthroughHandle;
  return true;
}

void Open(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
  Node& node = *ToNode(request, ino);
  std::lock_guard guard(node.mutex);
  int error = 0;
  if (info->flags & O_TRUNC) error = TreeOf(request).Truncate(node, 0);
  if (error == 0 && node.in_file) error = TreeOf(request).OpenFile(node);
  if (error != 0) {
    fuse_reply_err(request, error);
    return;
  }
  info->noflush = (info->flags & O_ACCMODE) == O_RDONLY;
  if (!node.in_file || !OpenPassthrough(request, node, info)) {
    info->fh = kOrdinaryHandle;
    info->keep_cache = 1;
  }
  ++node.opens;
  fuse_reply_open(request, info);
}

void Read(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info*) {
  Node& node = *ToNode(request, ino);
  std::lock_guard guard(node.mutex);
  if (node.in_file) {
    fuse_bufvec bytes = FUSE_BUFVEC_INIT(size);
    bytes.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    bytes.buf[0].fd = node.fd;
    bytes.buf[0].pos = offset;
    fuse_reply_data(request, &bytes, fuse_buf_copy_flags(0));
    return;
  }
  rocksdb::PinnableSlice row;
  std::string_view content = node.buffer;
  if (!node.buffered && node.has_content_row) {
    if (const int error = Self(request).rows->GetContent(node.ino(), &row)) {
      fuse_reply_err(request, error);
      return;
    }
    content = {row.data(), row.size()};
  }
  content = content.substr(std::min(content.size(), static_cast<std::size_t>(offset)), size);
  fuse_reply_buf(request, content.data(), content.size());
}

void Write(fuse_req_t request, fuse_ino_t ino, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info*) {
  Node& node = *ToNode(request, ino);
  int error = 0;
  {
    std::lock_guard guard(node.mutex);
    error = TreeOf(request).WriteBytes(node, {bytes, size}, static_cast<std::uint64_t>(offset));
  }
  if (error != 0) {
    fuse_reply_err(request, error);
  } else {
    fuse_reply_write(request, size);
  }
}

void Flush(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
  Node& node = *ToNode(request, ino);
  int error = 0;
  {
    std::lock_guard guard(node.mutex);
    if (node.passthrough_opens > 0) TreeOf(request).RefreshFromFile(node);
    error = TreeOf(request).Settle(node);
  }
  fuse_reply_err(request, error);
}

void Release(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
  Node& node = *ToNode(request, ino);
  if (info->fh == kPassthroughHandle) {
    std::lock_guard guard(node.mutex);
    TreeOf(request).RefreshFromFile(node);
    if (--node.passthrough_opens == 0) {
      fuse_passthrough_close(request, std::exchange(node.backing_id, 0));
    }
  }
  TreeOf(request).Closed(&node);
  fuse_reply_err(request, 0);
}

void FSync(fuse_req_t request, fuse_ino_t ino, int, fuse_file_info*) {
  fuse_reply_err(request, TreeOf(request).Sync(*ToNode(request, ino)));
}

// A directory handle is the list of names at its opening: a position is an index into it.
using Listing = std::vector<std::string>;

void OpenDir(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
  auto listing = std::make_unique<Listing>(TreeOf(request).List(ToNode(request, ino)));
  info->fh = reinterpret_cast<std::uint64_t>(listing.release());  // RELEASEDIR takes it back
  info->cache_readdir = info->keep_cache = 1;
  fuse_reply_open(request, info);
}

void ReleaseDir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  std::unique_ptr<Listing>(reinterpret_cast<Listing*>(info->fh)).reset();
  fuse_reply_err(request, 0);
}

template <bool kPlus>
void List(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset,
          fuse_file_info* info) {
  Node* directory = ToNode(request, ino);
  const Listing& listing = *reinterpret_cast<const Listing*>(info->fh);
  thread_local std::vector<char> buffer;
  buffer.resize(size);
  std::size_t used = 0;
  for (auto i = static_cast<std::size_t>(offset); i < listing.size(); ++i) {
    const char* name = listing[i].c_str();
    struct stat attributes;
    Node* node = TreeOf(request).Lookup(directory, name, &attributes);
    if (node == nullptr) continue;
    const fuse_entry_param entry = Entry(node, attributes);
    char* out = buffer.data() + used;
    const off_t next = static_cast<off_t>(i + 1);
    const std::size_t length =
        kPlus ? fuse_add_direntry_plus(request, out, size - used, name, &entry, next)
              : fuse_add_direntry(request, out, size - used, name, &entry.attr, next);
    const bool fits = length <= size - used;
    if (!kPlus || !fits) TreeOf(request).Forget(node, 1);  // the kernel did not learn of it
    if (!fits) break;
    used += length;
  }
  fuse_reply_buf(request, buffer.data(), used);
}

void StatFs(fuse_req_t request, fuse_ino_t) {
  struct statvfs totals;
  if (statvfs(Self(request).data.c_str(), &totals) != 0) {
    fuse_reply_err(request, errno);
    return;
  }
  fuse_reply_statfs(request, &totals);
}

fuse_lowlevel_ops Operations() {
  fuse_lowlevel_ops operations = {};
  operations.init = Init;
  operations.lookup = Lookup;
  operations.forget = Forget;
  operations.forget_multi = ForgetMany;
  operations.getattr = GetAttr;
  operations.setattr = SetAttr;
  operations.mkdir = MkDir;
  operations.symlink = SymLink;
  operations.readlink = ReadLink;
  operations.link = Link;
  operations.unlink = Unlink;
  operations.rmdir = RmDir;
  operations.rename = Rename;
  operations.create = Create;
  operations.open = Open;
  operations.read = Read;
  operations.write = Write;
  operations.flush = Flush;
  operations.release = Release;
  operations.fsync = FSync;
  operations.opendir = OpenDir;
  operations.releasedir = ReleaseDir;
  operations.readdir = List<false>;
  operations.readdirplus = List<true>;
  operations.statfs = StatFs;
  return operations;
}

// Serves until it is unmounted or told to end by SIGINT, SIGTERM or SIGHUP.
int Serve(Floor& floor, const std::string& mount_point, bool want_uring) {
  std::string options = "default_permissions,allow_other,fsname=floor,subtype=floor";
  if (want_uring) options += ",io_uring";
  std::vector<std::string> words = {"floor", "-o", options};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(argv.size()), argv.data());
  const fuse_lowlevel_ops operations = Operations();
  const std::unique_ptr<fuse_session, decltype(&fuse_session_destroy)> session(
      fuse_session_new(&args, &operations, sizeof operations, &floor), fuse_session_destroy);
  if (!session || fuse_set_signal_handlers(session.get()) != 0) return 1;
  if (fuse_session_mount(session.get(), mount_point.c_str()) != 0) return 1;
  std::cout << "floor: ready" << std::endl;
  const std::unique_ptr<fuse_loop_config, decltype(&fuse_loop_cfg_destroy)> loop(
      fuse_loop_cfg_create(), fuse_loop_cfg_destroy);
  fuse_loop_cfg_set_clone_fd(loop.get(), 1);
  const int result = fuse_session_loop_mt(session.get(), loop.get());
  fuse_session_unmount(session.get());
  fuse_remove_signal_handlers(session.get());
  fuse_opt_free_args(&args);
  return result == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app{"The floor of Amphora's benchmarks: a minimal FUSE daemon, in the foreground"};
  Floor floor;
  std::string mount_point;
  bool no_uring = false;
  bool no_passthrough = false;
  app.add_option("--data", floor.data, "Empty directory for the rows and files")->required();
  app.add_option("--status", floor.status_path, "File that is told what was negotiated");
  app.add_flag("--no-io-uring", no_uring, "Use the classic queue");
  app.add_flag("--no-passthrough", no_passthrough, "Serve every byte from the daemon");
  app.add_option("mountpoint", mount_point)->required()->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  floor.want_passthrough = !no_passthrough;
  try {
    std::filesystem::create_directories(floor.data + "/files");
    Rows rows(floor.data + "/rows");
    Tree tree(rows, floor.data + "/files");
    floor.rows = &rows;
    floor.tree = &tree;
    return Serve(floor, mount_point, !no_uring);
  } catch (const std::exception& error) {
    std::cerr << "floor: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace
}  // namespace amphora::bench

int main(int argc, char** argv) { return amphora::bench::Main(argc, argv); }
