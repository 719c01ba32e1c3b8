#include "cli/config.h"

#include <pwd.h>
#include <sys/un.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <array>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

namespace amphora::cli {
namespace {

using Complaint = std::optional<std::string>;

constexpr std::size_t kMaxConfigBytes = 1 << 20;
constexpr std::size_t kMaxPathBytes = 4095;  // PATH_MAX without the NUL
constexpr std::size_t kMaxSocketBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kMaxDomains = 64;
constexpr std::size_t kMaxProxies = 64;
constexpr std::size_t kMaxDomainBytes = 253;  // RFC 1035 section 2.3.4
constexpr std::size_t kMaxInlineLimit = 64 << 10;
constexpr unsigned kMaxThreads = 256;

Complaint ApplyPath(std::string& path, std::string_view value, std::size_t limit) {
  if (value.empty()) return "must not be empty";
  if (value.find('\0') != std::string_view::npos) return "must not contain a zero byte";
  if (value.size() > limit) return "is longer than " + std::to_string(limit) + " bytes";
  std::error_code ignored;
  path =
      std::filesystem::absolute(std::filesystem::path(value), ignored).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.size() > limit) return "is longer than " + std::to_string(limit) + " bytes";
  return std::nullopt;
}

template <typename Number>
Complaint ApplyNumber(Number& number, std::string_view value, Number highest) {
  Number parsed = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc() || end != value.data() + value.size() || parsed > highest) {
    return "must be a number from 0 to " + std::to_string(highest);
  }
  number = parsed;
  return std::nullopt;
}

Complaint ApplyData(Config& config, std::string_view value) {
  return ApplyPath(config.data_directory, value, kMaxPathBytes);
}

Complaint ApplySocket(Config& config, std::string_view value) {
  return ApplyPath(config.socket, value, kMaxSocketBytes);
}

Complaint ApplyListen(Config& config, std::string_view value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || value.size() > kMaxDomainBytes + 8) {
    return "must be HOST:PORT";
  }
  unsigned port = 0;
  if (ApplyNumber(port, value.substr(colon + 1), 65535u))
    return "must end in a port from 0 to 65535";
  config.s3.listen = value;
  return std::nullopt;
}

Complaint ApplyAuth(Config& config, std::string_view value) {
  if (value == "open") {
    config.s3.auth = s3::AuthMode::kOpen;
  } else if (value == "keys") {
    config.s3.auth = s3::AuthMode::kKeys;
  } else {
    return "must be open or keys";
  }
  return std::nullopt;
}

Complaint ApplyDomains(Config& config, std::string_view value) {
  std::vector<std::string> domains;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view domain = value.substr(0, comma);
    value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
    const bool plain = domain.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
                       std::string_view::npos;
    if (domain.empty() || !plain || domain.size() > kMaxDomainBytes) return "must be host names";
    domains.emplace_back(domain);
    if (domains.size() > kMaxDomains)
      return "has more than " + std::to_string(kMaxDomains) + " names";
  }
  config.s3.domains = std::move(domains);
  return std::nullopt;
}

// An empty one turns TLS off that the file turned on.
Complaint ApplyOptionalPath(std::string& path, std::string_view value) {
  path.clear();
  return value.empty() ? std::nullopt : ApplyPath(path, value, kMaxPathBytes);
}

Complaint ApplyTlsCertificate(Config& config, std::string_view value) {
  return ApplyOptionalPath(config.s3.tls_certificate_file, value);
}

Complaint ApplyTlsKey(Config& config, std::string_view value) {
  return ApplyOptionalPath(config.s3.tls_key_file, value);
}

Complaint ApplyTrustedProxies(Config& config, std::string_view value) {
  std::vector<std::string> networks;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    networks.emplace_back(value.substr(0, comma));
    value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
    if (networks.size() > kMaxProxies) {
      return "has more than " + std::to_string(kMaxProxies) + " networks";
    }
  }
  s3::ServerOptions probe;
  probe.trusted_proxies = networks;
  if (auto checked = s3::CheckTlsAndProxies(probe); !checked) {
    return "must be addresses or networks like 10.0.0.0/8";
  }
  config.s3.trusted_proxies = std::move(networks);
  return std::nullopt;
}

Complaint ApplyRegion(Config& config, std::string_view value) {
  const bool plain =
      value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
  if (value.empty() || value.size() > 63 || !plain) {
    return "must be 1 to 63 characters of a-z, 0-9 and -";
  }
  config.s3.region = value;
  return std::nullopt;
}

Complaint ApplyOpenBeyondLoopback(Config& config, std::string_view value) {
  if (value != "true" && value != "false") return "must be true or false";
  config.s3.allow_open_beyond_loopback = value == "true";
  return std::nullopt;
}

Complaint ApplyThreads(Config& config, std::string_view value) {
  return ApplyNumber(config.s3.threads, value, kMaxThreads);
}

Complaint ApplyInlineLimit(Config& config, std::string_view value) {
  return ApplyNumber(config.inline_limit, value, kMaxInlineLimit);
}

Complaint ApplyLogLevel(Config& config, std::string_view value) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (value != kNames[i]) continue;
    config.log_level = static_cast<LogLevel>(i);
    return std::nullopt;
  }
  return "must be debug, info, warning or error";
}

Complaint ApplyLogFile(Config& config, std::string_view value) {
  return ApplyPath(config.log_file, value, kMaxPathBytes);
}

constexpr Setting kSettings[] = {
    {"data", "AMPHORA_DATA", "--data", "DIR", "The data directory; made when missing", ApplyData},
    {"socket", "AMPHORA_SOCKET", "--socket", "PATH", "The control socket", ApplySocket},
    {"s3.listen", "AMPHORA_S3", "--s3", "HOST:PORT",
     "Where S3 is served; port 0 takes a free one [localhost:9878]", ApplyListen},
    {"s3.auth", "AMPHORA_AUTH", "--auth", "open|keys",
     "open: any access key or none, loopback only; keys: signatures are checked [open]", ApplyAuth},
    {"s3.domains", "AMPHORA_DOMAIN", "--domain", "NAME",
     "A host name of this endpoint: BUCKET.NAME addresses a bucket; may be given more than once",
     ApplyDomains},
    {"s3.tls_cert", "AMPHORA_TLS_CERT", "--tls-cert", "FILE",
     "Serve S3 by TLS with this certificate chain (PEM); read again on SIGHUP",
     ApplyTlsCertificate},
    {"s3.tls_key", "AMPHORA_TLS_KEY", "--tls-key", "FILE", "The certificate's key (PEM)",
     ApplyTlsKey},
    {"s3.trusted_proxies", "AMPHORA_TRUSTED_PROXY", "--trusted-proxy", "NETWORK",
     "Believe X-Forwarded-* from this address or network; may be given more than once",
     ApplyTrustedProxies},
    {"s3.region", "AMPHORA_REGION", "--region", "NAME", "The region S3 tells [us-east-1]",
     ApplyRegion},
    {"s3.threads", "AMPHORA_S3_THREADS", "--s3-threads", "N", "Network threads; 0: one per CPU [0]",
     ApplyThreads},
    {"s3.open_beyond_loopback", "AMPHORA_OPEN_BEYOND_LOOPBACK", "--open-beyond-loopback",
     "true|false", "Let --auth open listen on other addresses than loopback [false]",
     ApplyOpenBeyondLoopback},
    {"store.inline_limit", "AMPHORA_INLINE_LIMIT", "--inline-limit", "BYTES",
     "Files up to this size live in the metadata store, 0 to 65536 [16384]", ApplyInlineLimit},
    {"log.level", "AMPHORA_LOG_LEVEL", "--log-level", "LEVEL",
     "debug, info, warning or error [info]", ApplyLogLevel},
    {"log.file", "AMPHORA_LOG_FILE", "--log-file", "PATH", "Where the log goes [stderr]",
     ApplyLogFile},
};

const Setting* FindKey(std::string_view key) {
  for (const Setting& setting : kSettings) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

bool IsSection(std::string_view key) {
  for (const Setting& setting : kSettings) {
    const std::string_view name(setting.key);
    if (name.size() > key.size() && name.starts_with(key) && name[key.size()] == '.') return true;
  }
  return false;
}

// A TOML value as the text that the environment would carry; arrays of strings are joined by ','.
std::optional<std::string> ToText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::string joined;
  for (const toml::node& item : *array) {
    const auto* text = item.as_string();
    if (text == nullptr) return std::nullopt;
    if (!joined.empty()) joined.push_back(',');
    joined += text->get();
  }
  return joined;
}

std::string Where(const std::string& file, const toml::node& node) {
  return file + " line " + std::to_string(node.source().begin.line);
}

Outcome<void> ApplyTable(Config& config, const std::string& file, const toml::table& table,
                         const std::string& prefix) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const toml::table* section = node.as_table(); section != nullptr && IsSection(key)) {
      if (auto done = ApplyTable(config, file, *section, key + "."); !done) return done;
      continue;
    }
    const Setting* setting = FindKey(key);
    if (setting == nullptr) return UsageError(Where(file, node) + ": unknown key '" + key + "'");
    const std::optional<std::string> text = ToText(node);
    if (!text) return UsageError(Where(file, node) + ": " + key + " has a value of the wrong type");
    if (Complaint wrong = setting->apply(config, *text)) {
      return UsageError(Where(file, node) + ": " + key + " " + *wrong + ", not '" + *text + "'");
    }
    config.origins[key] = Where(file, node) + ": " + key;
  }
  return {};
}

Outcome<void> ApplyFile(Config& config, const std::string& path) {
  config.file = path;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return UsageError("config file " + path + " can't be read");
  std::string text(kMaxConfigBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return UsageError("config file " + path + " can't be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMaxConfigBytes) return UsageError("config file " + path + " is over 1 MiB");
  try {
    return ApplyTable(config, path, toml::parse(text, path), "");
  } catch (const toml::parse_error& error) {
    return UsageError(path + " line " + std::to_string(error.source().begin.line) + ": " +
                      std::string(error.description()));
  } catch (const std::exception& error) {
    return UsageError(path + ": " + error.what());
  }
}

std::string HomeDirectory(const Environment& environment) {
  if (const char* home = environment("HOME"); home != nullptr && *home == '/') return home;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return found->pw_dir;
  }
  return "/";
}

// XDG base directory specification: a relative value is ignored.
std::string XdgDirectory(const Environment& environment, const char* variable,
                         const char* below_home) {
  if (const char* value = environment(variable); value != nullptr && *value == '/') return value;
  return HomeDirectory(environment) + below_home;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Outcome<void> ApplySources(Config& config, const ConfigSources& sources) {
  const Environment& environment = sources.environment;
  if (sources.file) {
    if (auto done = ApplyFile(config, *sources.file); !done) return done;
  } else if (const char* file = environment("AMPHORA_CONFIG"); file != nullptr && *file != '\0') {
    if (auto done = ApplyFile(config, file); !done) return done;
  } else if (const std::string usual = DefaultConfigFile(environment); Exists(usual)) {
    if (auto done = ApplyFile(config, usual); !done) return done;
  }
  for (const Setting& setting : kSettings) {
    const char* value = environment(setting.environment);
    if (value == nullptr || *value == '\0') continue;
    if (Complaint wrong = setting.apply(config, value)) {
      return UsageError(std::string(setting.environment) + " " + *wrong + ", not '" + value + "'");
    }
    config.origins[setting.key] = setting.environment;
  }
  for (const Setting& setting : kSettings) {
    const auto it = sources.flags.find(setting.flag);
    if (it == sources.flags.end()) continue;
    if (Complaint wrong = setting.apply(config, it->second)) {
      return UsageError(std::string(setting.flag) + " " + *wrong + ", not '" + it->second + "'");
    }
    config.origins[setting.key] = setting.flag;
  }
  return {};
}

}  // namespace

std::span<const Setting> Settings() { return kSettings; }

std::string DefaultConfigFile(const Environment& environment) {
  if (geteuid() == 0) return "/etc/amphora/amphora.toml";
  return XdgDirectory(environment, "XDG_CONFIG_HOME", "/.config") + "/amphora/amphora.toml";
}

std::string DefaultDataDirectory(const Environment& environment) {
  if (geteuid() == 0) return "/var/lib/amphora";
  return XdgDirectory(environment, "XDG_DATA_HOME", "/.local/share") + "/amphora";
}

std::string DefaultSocket(const Environment& environment, const std::string& data_directory) {
  if (geteuid() == 0) return "/run/amphora/amphora.sock";
  if (const char* run = environment("XDG_RUNTIME_DIR"); run != nullptr && *run == '/') {
    return std::string(run) + "/amphora/amphora.sock";
  }
  return data_directory + "/amphora.sock";
}

std::string DefaultLogFile(const Environment& environment) {
  if (geteuid() == 0) return "/var/log/amphora/amphora.log";
  return XdgDirectory(environment, "XDG_STATE_HOME", "/.local/state") + "/amphora/amphora.log";
}

Outcome<Config> LoadConfig(const ConfigSources& sources) {
  Config config;
  if (auto done = ApplySources(config, sources); !done) return std::unexpected(done.error());
  if (config.data_directory.empty()) {
    config.data_directory = DefaultDataDirectory(sources.environment);
  }
  if (config.socket.empty()) {
    const std::string socket = DefaultSocket(sources.environment, config.data_directory);
    if (Complaint wrong = ApplySocket(config, socket)) {
      return UsageError("the control socket " + socket + " " + *wrong +
                        "; choose one with --socket");
    }
  }
  return config;
}

std::string OriginOf(const Config& config, std::string_view key) {
  const auto origin = config.origins.find(key);
  if (origin != config.origins.end()) return origin->second;
  const Setting* setting = FindKey(key);
  return setting == nullptr ? std::string(key) : setting->flag;
}

Outcome<void> CheckConfig(const Config& config) {
  if (const Status checked = s3::CheckOptions(config.s3); !checked.ok()) {
    return UsageError(OriginOf(config, "s3.listen") + ": " + config.s3.listen + ": " +
                      std::string(checked.error().detail()));
  }
  if (auto checked = s3::CheckTlsAndProxies(config.s3); !checked) {
    return UsageError(OriginOf(config, "s3.tls_cert") + ": " + checked.error());
  }
  return {};
}

}  // namespace amphora::cli
