#include "cli/commands/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "fs/types.h"
#include "meta/base/printable.h"
#include "mount/elsewhere.h"

namespace amphora::cli {
namespace {

std::string WhyBad(const Error& error) {
  return std::string(error.detail().empty() ? Meaning(error.code()) : error.detail());
}

const char* Getenv(const char* name) { return std::getenv(name); }

}  // namespace

CLI::App* AddCommand(CLI::App& parent, const char* name, const char* help, const char* example) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->footer(std::string("Example:\n  ") + example);
  return command;
}

std::shared_ptr<ClientOptions> AddClientOptions(CLI::App* command, Printing printing) {
  auto options = std::make_shared<ClientOptions>();
  const auto flag = [&](const char* name, const char* value_name, const char* help) {
    command
        ->add_option_function<std::string>(
            name, [options, name](const std::string& value) { options->flags[name] = value; }, help)
        ->type_name(value_name);
  };
  flag("--socket", "PATH", "The daemon's control socket");
  flag("--data", "DIR", "The daemon's data directory, where the socket's place depends on it");
  command
      ->add_option_function<std::string>(
          "--config", [options](const std::string& value) { options->config_file = value; },
          "The configuration file that the daemon reads")
      ->type_name("FILE");
  if (printing == Printing::kData) {
    command->add_flag("--json", options->json, "Print JSON");
  }
  return options;
}

Outcome<std::unique_ptr<ControlClient>> ConnectDaemon(const ClientOptions& options) {
  const Outcome<Config> config = LoadConfig({options.config_file, options.flags, Getenv});
  if (!config) return std::unexpected(config.error());
  return ControlClient::Connect(config->socket);
}

Outcome<bool> IsElsewhere(ControlClient& client) {
  const Outcome<Json> status = client.Call("GET", "/status", Json::object());
  if (!status) return std::unexpected(status.error());
  const std::string theirs = status->value("mount_namespace", "");
  const std::string ours = mount::MountNamespace();
  return !theirs.empty() && !ours.empty() && theirs != ours;
}

std::string StorePath::text() const { return "/" + volume + (bucket.empty() ? "" : "/" + bucket); }

Outcome<StorePath> ParseStorePath(const std::string& text) {
  if (text.empty() || text.front() != '/') {
    return UsageError("'" + text + "' is no store path: it must begin with /");
  }
  std::string rest = text.substr(1);
  if (!rest.empty() && rest.back() == '/') rest.pop_back();
  StorePath path;
  const std::size_t slash = rest.find('/');
  path.volume = rest.substr(0, slash);
  if (slash != std::string::npos) path.bucket = rest.substr(slash + 1);
  if (rest.empty()) return path;
  if (path.bucket.find('/') != std::string::npos) {
    return UsageError("'" + text + "' goes deeper than /VOLUME/BUCKET");
  }
  if (const Status volume = fs::CheckVolumeName(path.volume); !volume.ok()) {
    return UsageError("'" + path.volume + "' is no volume name: " + WhyBad(volume.error()));
  }
  if (slash == std::string::npos) return path;
  if (const Status bucket = fs::CheckBucketName(path.bucket); !bucket.ok()) {
    return UsageError("'" + path.bucket + "' is no bucket name: " + WhyBad(bucket.error()));
  }
  return path;
}

Outcome<std::string> ParseVolumePath(const std::string& text) {
  const Outcome<StorePath> path = ParseStorePath(text);
  if (!path) return std::unexpected(path.error());
  if (path->volume.empty() || !path->bucket.empty()) {
    return UsageError("'" + text + "' is no volume: /VOLUME is wanted");
  }
  return path->volume;
}

Outcome<StorePath> ParseBucketPath(const std::string& text) {
  Outcome<StorePath> path = ParseStorePath(text);
  if (path && path->bucket.empty()) {
    return UsageError("'" + text + "' is no bucket: /VOLUME/BUCKET is wanted");
  }
  return path;
}

Outcome<std::string> AbsoluteDirectory(const std::string& text) {
  if (text.empty()) return UsageError("the directory must not be empty");
  std::error_code error;
  // Not canonical(): it would stat the directory itself, which fails on a dead mount.
  const std::filesystem::path absolute = std::filesystem::absolute(text, error).lexically_normal();
  if (error) return Fail("'" + text + "': " + error.message());
  const std::filesystem::path plain = absolute.has_filename() ? absolute : absolute.parent_path();
  std::filesystem::path parent = std::filesystem::weakly_canonical(plain.parent_path(), error);
  if (error) parent = plain.parent_path();
  std::string result = (parent / plain.filename()).string();
  try {
    (void)Json(result).dump();
  } catch (const Json::exception&) {
    return UsageError("the directory's path is not UTF-8");
  }
  return result;
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void PrintJson(const Json& value) {
  Print(value.dump(2, ' ', false, Json::error_handler_t::replace));
}

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<std::vector<std::string>> shown = rows;
  for (auto& row : shown) {
    for (std::string& cell : row) cell = Printable(cell);
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : shown) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    Print(line);
  }
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Show(const Json& line) {
  if (!terminal_ || !line.contains("progress")) return;
  const Json& progress = line["progress"];
  const auto done = progress.value("done", std::uint64_t{0});
  const auto total = progress.value("total", std::uint64_t{0});
  std::string text = progress.value("phase", "") + " " + std::to_string(done);
  if (total > 0) text += " of " + std::to_string(total);
  std::fprintf(stderr, "\r\033[K%s", text.c_str());
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace amphora::cli
