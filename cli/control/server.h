// The daemon's end of the control socket. Each connection has a thread of its own, since the
// engine's calls block; their number is bounded, and so is the time of every read and write.
// Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "cli/control/protocol.h"

namespace amphora::cli {

class ControlServer {
 public:
  // Fails when a live daemon answers at `path` (it says which), or when something there is no
  // socket. A dead daemon's socket is taken over. Makes the directory. The socket is open to every
  // local user: `handler` decides by the peer what it may do. `handler` runs on many threads at
  // once and must outlive this server.
  static Outcome<std::unique_ptr<ControlServer>> Start(const std::string& path,
                                                       ControlHandler handler);
  // Accepts no more, lets the requests in progress end, removes the socket.
  virtual ~ControlServer() = default;
};

// The same check that Start makes, without changing anything: for failing before a store is opened.
Outcome<void> CheckSocketFree(const std::string& path);

}  // namespace amphora::cli
