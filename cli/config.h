// What `amphora serve` and the commands that look for a daemon can be told, from three sources:
// flags beat environment (AMPHORA_*) beats file (TOML). One table names every setting for all
// three, so that none can differ. Every value has a limit; unknown keys of the file are refused
// with their line. Used by main's thread only, before any other exists.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/outcome.h"
#include "meta/base/error.h"
#include "s3/server.h"

namespace amphora::cli {

struct Config {
  std::string data_directory;  // absolute
  std::string socket;          // absolute, at most 107 bytes (unix(7): sun_path)
  s3::ServerOptions s3;
  std::size_t inline_limit = 16 << 10;
  LogLevel log_level = LogLevel::kInfo;
  std::string log_file;  // empty: stderr, or with --background the default of DefaultLogFile()
  std::string file;      // the configuration file that was read; empty: none
  // Where a setting was made, by its key: "--s3", "AMPHORA_S3" or "/etc/x.toml line 3: s3.listen".
  std::map<std::string, std::string, std::less<>> origins;
};

// One setting under its three names. `apply` answers what is wrong with a value, or nothing.
struct Setting {
  const char* key;          // in the file: "s3.listen"
  const char* environment;  // "AMPHORA_S3"
  const char* flag;         // "--s3"
  const char* value_name;   // for --help: "HOST:PORT"
  const char* help;
  std::optional<std::string> (*apply)(Config& config, std::string_view value);
};
std::span<const Setting> Settings();

// What the flags said, by flag name; a flag given more than once is joined by ','.
using FlagValues = std::map<std::string, std::string, std::less<>>;
using Environment = std::function<const char*(const char* name)>;

struct ConfigSources {
  std::optional<std::string>
      file;  // --config; else AMPHORA_CONFIG; else DefaultConfigFile() if there
  FlagValues flags;
  Environment environment;  // std::getenv, or a test's
};

// Usage errors name the flag, the variable, or the file with key and line.
Outcome<Config> LoadConfig(const ConfigSources& sources);
// What can only be judged by several settings together. Looks at nothing but `config`.
Outcome<void> CheckConfig(const Config& config);
// Who asked for the setting `key`, for a message: its origin, or its flag when it is the default.
std::string OriginOf(const Config& config, std::string_view key);

// Where things are when nobody says: for root under /etc, /var/lib, /run and /var/log, else under
// the user's home by the XDG base directories.
std::string DefaultConfigFile(const Environment& environment);
std::string DefaultDataDirectory(const Environment& environment);
std::string DefaultSocket(const Environment& environment, const std::string& data_directory);
std::string DefaultLogFile(const Environment& environment);

}  // namespace amphora::cli
