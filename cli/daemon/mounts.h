// The mounts that this daemon serves, by directory. Thread-safe; the lock is never held while a
// mount starts or ends, since both wait for the kernel.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fs/engine.h"
#include "meta/base/result.h"
#include "mount/session.h"

namespace amphora::cli {

class Mounts {
 public:
  explicit Mounts(fs::Engine& engine) : engine_(engine) {}
  ~Mounts() { EndAll(); }
  Mounts(const Mounts&) = delete;
  Mounts& operator=(const Mounts&) = delete;

  // As mount::Mount::Start; kBusy also when this daemon has a mount there already.
  Result<mount::MountFigures> Add(const mount::MountOptions& options);
  // kNotFound: this daemon has no mount there, and no dead one is there to detach. kBusy: in use,
  // and not `force`.
  Status Remove(const std::string& directory, bool force);
  // In order of directory. Forgets those that somebody else unmounted.
  std::vector<mount::MountFigures> Figures();
  // Ends every mount; those in use by force, with a word in the log.
  void EndAll();

 private:
  // Takes the directory's slot; false while another mount has it.
  bool Reserve(const std::string& directory);
  void ForgetEnded();

  fs::Engine& engine_;
  std::mutex mutex_;
  // By directory; null while it starts. Guarded by mutex_.
  std::map<std::string, std::shared_ptr<mount::Mount>> mounts_;
};

}  // namespace amphora::cli
