// Load for a mounted file system: one thread, plain system calls, names made beforehand, so that
// the generator costs next to nothing beside what it measures. Prints one JSON object.
//
// Rows, in the order they run (each on what the rows before it left):
//   create_write       create a file, write --size bytes, close it; --files of them, one directory
//   first_stat         stat each for the first time after its write
//   stat               stat each again: the kernel's caches
//   negative_stat      stat names that do not exist, the second time they are asked for
//   ls_l               list the directory and stat every name
//   ls_l_dropped       the same after the kernel was told to forget its dentries (root only)
//   open_read          open, read, close
//   open_read_dropped  the same after the file's pages were dropped from this mount's cache
//   rename             within the directory
//   link, symlink, readlink, mkdir, rmdir
//   unlink             of the files
//   create_fsync       create_write with fsync before the close: a twentieth of --files
//   write_large        a new file of --large-mib MiB, 1 MiB a call, with its close; MiB, best of 5
//   read_large         open it, read it in 1 MiB calls; MiB, best of 5
//   random_write       overwrite 4 KiB at random offsets of it
//   random_read        read 4 KiB at random offsets of it
// A row stops early after --seconds-per-row; the later rows then use the files there are.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace amphora::bench {
namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kLargePasses = 5;

struct Options {
  std::string directory;
  std::string part = "all";
  std::size_t files = 10'000;
  std::size_t size = kPage;
  std::size_t large_mib = 256;
  std::size_t random_operations = 20'000;
  double seconds_per_row = 10;
  bool skip_dropped = false;
  bool unpinned = false;
};

// To the last CPU. Left alone, the kernel's scheduler moves the one thread to the idle CPU at each
// answer that took the daemon more than a few microseconds, or not: the same row of the same side
// differs by 2.
void PinToOneCpu() {
  const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpus - 1), &set);
  if (cpus < 1 || sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
  }
}

class File {
 public:
  File(int directory, const char* name, int flags)
      : fd_(openat(directory, name, flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), name);
  }
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  void Close() {
    if (close(std::exchange(fd_, -1)) != 0) {
      throw std::system_error(errno, std::generic_category(), "close");
    }
  }

 private:
  int fd_;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

void Must(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

void MustTransfer(ssize_t moved, std::size_t wanted, const char* what) {
  Must(moved >= 0, what);
  if (static_cast<std::size_t>(moved) != wanted) {
    throw std::runtime_error(std::string(what) + ": short");
  }
}

std::vector<std::string> Names(const char* prefix, std::size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) names.push_back(prefix + std::to_string(i));
  return names;
}

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        top_(AT_FDCWD, options.directory.c_str(), O_RDONLY | O_DIRECTORY),
        page_(std::max(options.size, kMiB), 'a') {
    for (std::size_t i = 0; i < page_.size(); ++i) page_[i] = static_cast<char>(i * 131 + i / 251);
    Must(mkdirat(top_.fd(), kSubdirectory, 0755) == 0, kSubdirectory);
    directory_ = std::make_unique<File>(top_.fd(), kSubdirectory, O_RDONLY | O_DIRECTORY);
  }

  nlohmann::ordered_json Run() {
    if (options_.part != "large") {
      SmallFiles();
      NameChanges();
      Unlinks();
    }
    if (options_.part != "small") LargeFile();
    directory_.reset();
    Must(unlinkat(top_.fd(), kSubdirectory, AT_REMOVEDIR) == 0, "rmdir at the end");
    return rows_;
  }

 private:
  static constexpr const char* kSubdirectory = "load";
  static constexpr const char* kLarge = "large";
  using Clock = std::chrono::steady_clock;

  int dir() const { return directory_->fd(); }
  static double Seconds(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  // Times `operation(i)` for i in [0, count), with an end at the row's limit. Returns how many ran.
  template <typename Operation>
  std::size_t Row(const char* name, std::size_t count, Operation operation) {
    const auto start = Clock::now();
    const auto limit = start + std::chrono::duration<double>(options_.seconds_per_row);
    std::size_t done = 0;
    while (done < count) {
      operation(done++);
      if (done % 64 == 0 && Clock::now() >= limit) break;
    }
    Record(name, done, Seconds(start));
    return done;
  }

  void Record(const char* name, std::size_t done, double seconds) {
    rows_[name] = {{"count", done},
                   {"seconds", seconds},
                   {"per_second", static_cast<double>(done) / std::max(seconds, 1e-9)}};
    std::cerr << "  " << name << " " << static_cast<std::uint64_t>(rows_[name]["per_second"])
              << "/s\n";
  }

  void WriteNew(const std::string& name, bool sync) {
    File file(dir(), name.c_str(), O_CREAT | O_EXCL | O_WRONLY);
    MustTransfer(write(file.fd(), page_.data(), options_.size), options_.size, "write");
    if (sync) Must(fsync(file.fd()) == 0, "fsync");
    file.Close();
  }

  void StatAll(const char* row) {
    Row(row, files_.size(), [&](std::size_t i) {
      struct stat found;
      Must(fstatat(dir(), files_[i].c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0, files_[i]);
    });
  }

  void ReadAll(const char* row) {
    std::vector<char> buffer(options_.size);
    Row(row, files_.size(), [&](std::size_t i) {
      File file(dir(), files_[i].c_str(), O_RDONLY);
      MustTransfer(read(file.fd(), buffer.data(), buffer.size()), buffer.size(), "read");
    });
  }

  void ListAll(const char* row) {
    File again(top_.fd(), kSubdirectory, O_RDONLY | O_DIRECTORY);
    const auto start = Clock::now();
    const std::unique_ptr<DIR, CloseDirectory> listing(fdopendir(dup(again.fd())));
    Must(listing != nullptr, "opendir");
    std::size_t seen = 0;
    while (const dirent* entry = readdir(listing.get())) {
      struct stat found;
      Must(fstatat(dir(), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0, entry->d_name);
      ++seen;
    }
    const double seconds = Seconds(start);
    // "." and ".." may be missing in a listing.
    if (seen < files_.size() || seen > files_.size() + 2) {
      throw std::runtime_error(std::string(row) + " saw " + std::to_string(seen) + " names of " +
                               std::to_string(files_.size()));
    }
    Record(row, seen, seconds);
  }

  void SmallFiles() {
    files_ = Names("file-", options_.files);
    files_.resize(
        Row("create_write", files_.size(), [&](std::size_t i) { WriteNew(files_[i], false); }));
    StatAll("first_stat");
    StatAll("stat");
    const std::vector<std::string> missing = Names("missing-", files_.size());
    const auto miss = [&](std::size_t i) {
      struct stat found;
      if (fstatat(dir(), missing[i].c_str(), &found, 0) == 0 || errno != ENOENT) {
        throw std::runtime_error("a missing name was found");
      }
    };
    for (std::size_t i = 0; i < missing.size(); ++i) miss(i);
    Row("negative_stat", missing.size(), miss);
    ListAll("ls_l");
    ReadAll("open_read");
    if (options_.skip_dropped) return;
    for (const std::string& name : files_) {
      File file(dir(), name.c_str(), O_RDONLY);
      posix_fadvise(file.fd(), 0, 0, POSIX_FADV_DONTNEED);
    }
    ReadAll("open_read_dropped");
    std::ofstream drop("/proc/sys/vm/drop_caches");
    if (drop << "2" << std::flush) ListAll("ls_l_dropped");
  }

  void NameChanges() {
    Row("rename", files_.size(), [&](std::size_t i) {
      std::string renamed = "renamed-" + std::to_string(i);
      Must(renameat(dir(), files_[i].c_str(), dir(), renamed.c_str()) == 0, files_[i]);
      files_[i] = std::move(renamed);
    });
    std::vector<std::string> names = Names("link-", files_.size());
    names.resize(Row("link", names.size(), [&](std::size_t i) {
      Must(linkat(dir(), files_[i].c_str(), dir(), names[i].c_str(), 0) == 0, names[i]);
    }));
    for (const std::string& name : names) Must(unlinkat(dir(), name.c_str(), 0) == 0, name);
    names = Names("symlink-", files_.size());
    names.resize(Row("symlink", names.size(), [&](std::size_t i) {
      Must(symlinkat(files_[i].c_str(), dir(), names[i].c_str()) == 0, names[i]);
    }));
    Row("readlink", names.size(), [&](std::size_t i) {
      char target[256];
      Must(readlinkat(dir(), names[i].c_str(), target, sizeof target) > 0, names[i]);
    });
    for (const std::string& name : names) Must(unlinkat(dir(), name.c_str(), 0) == 0, name);
    names = Names("directory-", files_.size());
    names.resize(Row("mkdir", names.size(), [&](std::size_t i) {
      Must(mkdirat(dir(), names[i].c_str(), 0755) == 0, names[i]);
    }));
    const std::size_t removed = Row("rmdir", names.size(), [&](std::size_t i) {
      Must(unlinkat(dir(), names[i].c_str(), AT_REMOVEDIR) == 0, names[i]);
    });
    for (std::size_t i = removed; i < names.size(); ++i) {
      Must(unlinkat(dir(), names[i].c_str(), AT_REMOVEDIR) == 0, names[i]);
    }
  }

  void Unlinks() {
    const std::size_t removed = Row("unlink", files_.size(), [&](std::size_t i) {
      Must(unlinkat(dir(), files_[i].c_str(), 0) == 0, files_[i]);
    });
    for (std::size_t i = removed; i < files_.size(); ++i) {
      Must(unlinkat(dir(), files_[i].c_str(), 0) == 0, files_[i]);
    }
    files_ = Names("synced-", std::max<std::size_t>(options_.files / 20, 1));
    files_.resize(
        Row("create_fsync", files_.size(), [&](std::size_t i) { WriteNew(files_[i], true); }));
    for (const std::string& name : files_) Must(unlinkat(dir(), name.c_str(), 0) == 0, name);
  }

  double WriteLarge() {
    const auto start = Clock::now();
    File file(dir(), kLarge, O_CREAT | O_EXCL | O_WRONLY);
    for (std::size_t i = 0; i < options_.large_mib; ++i) {
      MustTransfer(write(file.fd(), page_.data(), kMiB), kMiB, "write");
    }
    file.Close();
    return Seconds(start);
  }

  double ReadLarge(std::vector<char>& buffer) {
    const auto start = Clock::now();
    File file(dir(), kLarge, O_RDONLY);
    for (std::size_t i = 0; i < options_.large_mib; ++i) {
      MustTransfer(read(file.fd(), buffer.data(), kMiB), kMiB, "read");
    }
    file.Close();
    return Seconds(start);
  }

  // The best of several passes: a virtual machine gives its free memory back to the host, and page
  // cache that must be asked back first is six times slower to fill.
  void LargeFile() {
    double best = WriteLarge();
    for (std::size_t pass = 1; pass < kLargePasses; ++pass) {
      Must(unlinkat(dir(), kLarge, 0) == 0, kLarge);
      best = std::min(best, WriteLarge());
    }
    Record("write_large", options_.large_mib, best);
    std::vector<char> buffer(kMiB);
    best = ReadLarge(buffer);
    for (std::size_t pass = 1; pass < kLargePasses; ++pass) {
      best = std::min(best, ReadLarge(buffer));
    }
    Record("read_large", options_.large_mib, best);
    std::mt19937_64 random(7);
    const std::size_t pages = options_.large_mib * kMiB / kPage;
    File file(dir(), kLarge, O_RDWR);
    Row("random_write", options_.random_operations, [&](std::size_t) {
      const auto offset = static_cast<off_t>(random() % pages * kPage);
      MustTransfer(pwrite(file.fd(), page_.data(), kPage, offset), kPage, "pwrite");
    });
    Row("random_read", options_.random_operations, [&](std::size_t) {
      const auto offset = static_cast<off_t>(random() % pages * kPage);
      MustTransfer(pread(file.fd(), buffer.data(), kPage, offset), kPage, "pread");
    });
    file.Close();
    Must(unlinkat(dir(), kLarge, 0) == 0, kLarge);
  }

  const Options options_;
  File top_;
  std::unique_ptr<File> directory_;
  std::vector<char> page_;
  std::vector<std::string> files_;  // the names that exist now
  nlohmann::ordered_json rows_;
};

int Main(int argc, char** argv) {
  CLI::App app{"Load for a mounted file system; prints JSON, its progress on standard error"};
  Options options;
  app.add_option("directory", options.directory, "Where to work; gets a subdirectory `load`")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--files", options.files, "Small files")->check(CLI::Range(1, 10'000'000));
  app.add_option("--size", options.size, "Bytes in a small file")->check(CLI::Range(1, 1 << 20));
  app.add_option("--large-mib", options.large_mib, "MiB in the large file")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--random", options.random_operations, "Random reads and writes")
      ->check(CLI::Range(1, 100'000'000));
  app.add_option("--part", options.part, "Only the rows of small files, or of the large one")
      ->check(CLI::IsMember({"all", "small", "large"}));
  app.add_option("--seconds-per-row", options.seconds_per_row)->check(CLI::Range(0.1, 3600.0));
  app.add_flag("--skip-dropped", options.skip_dropped, "Leave out the rows that drop caches");
  app.add_flag("--unpinned", options.unpinned, "Run on whatever CPU the kernel chooses");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!options.unpinned) PinToOneCpu();
    std::cout << Load(options).Run().dump(2) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "load: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace
}  // namespace amphora::bench

int main(int argc, char** argv) { return amphora::bench::Main(argc, argv); }
