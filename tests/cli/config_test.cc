// The configuration's three sources, their order, and what they refuse.
#include "cli/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>

namespace amphora::cli {
namespace {

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "amphora-config-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    variables_["HOME"] = directory_;
    variables_["XDG_CONFIG_HOME"] = directory_ + "/nothing";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string WriteFile(const std::string& text) {
    const std::string path = directory_ + "/amphora.toml";
    std::ofstream(path) << text;
    return path;
  }

  Outcome<Config> Load(std::optional<std::string> file, FlagValues flags = {}) {
    return LoadConfig({std::move(file), std::move(flags), [this](const char* name) {
                         const auto it = variables_.find(name);
                         return it == variables_.end() ? nullptr : it->second.c_str();
                       }});
  }

  void ExpectRefused(const Outcome<Config>& config, const std::string& wanted) {
    ASSERT_FALSE(config.has_value());
    EXPECT_EQ(config.error().code, ExitCode::kUsage);
    EXPECT_NE(config.error().text.find(wanted), std::string::npos) << config.error().text;
    EXPECT_EQ(config.error().text.find('\n'), std::string::npos) << config.error().text;
  }

  std::string directory_;
  std::map<std::string, std::string, std::less<>> variables_;
};

TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsFile) {
  const std::string file =
      WriteFile("[s3]\nlisten = \"127.0.0.1:1\"\nregion = \"from-file\"\nauth = \"keys\"\n");
  variables_["AMPHORA_S3"] = "127.0.0.1:2";
  variables_["AMPHORA_REGION"] = "from-environment";
  const Outcome<Config> config = Load(file, {{"--s3", "127.0.0.1:3"}});
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->s3.listen, "127.0.0.1:3");
  EXPECT_EQ(config->s3.region, "from-environment");
  EXPECT_EQ(config->s3.auth, s3::AuthMode::kKeys);
}

// One row per setting: a value for the file, the environment and the flag, and how to read it back.
struct Precedence {
  const char* key;
  const char* in_file;  // as TOML
  const char* in_environment;
  const char* as_flag;
  std::string (*read)(const Config& config);
  const char* expected[3];  // read back, with the file alone, with the environment too, with all
};

const Precedence kPrecedence[] = {
    {"data",
     "'/a'",
     "/b",
     "/c",
     [](const Config& c) { return c.data_directory; },
     {"/a", "/b", "/c"}},
    {"socket", "'/a'", "/b", "/c", [](const Config& c) { return c.socket; }, {"/a", "/b", "/c"}},
    {"s3.listen",
     "'127.0.0.1:1'",
     "127.0.0.1:2",
     "127.0.0.1:3",
     [](const Config& c) { return c.s3.listen; },
     {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}},
    {"s3.auth",
     "'keys'",
     "open",
     "keys",
     [](const Config& c) {
       return std::string(c.s3.auth == s3::AuthMode::kKeys ? "keys" : "open");
     },
     {"keys", "open", "keys"}},
    {"s3.domains",
     "['a', 'a2']",
     "b",
     "c,d",
     [](const Config& c) {
       std::string joined;
       for (const std::string& domain : c.s3.domains) joined += domain + ";";
       return joined;
     },
     {"a;a2;", "b;", "c;d;"}},
    {"s3.tls_cert",
     "'/a'",
     "/b",
     "/c",
     [](const Config& c) { return c.s3.tls_certificate_file; },
     {"/a", "/b", "/c"}},
    {"s3.tls_key",
     "'/a'",
     "/b",
     "/c",
     [](const Config& c) { return c.s3.tls_key_file; },
     {"/a", "/b", "/c"}},
    {"s3.trusted_proxies",
     "['10.0.0.0/8', '::1']",
     "10.0.0.1",
     "fd00::/8",
     [](const Config& c) {
       std::string joined;
       for (const std::string& network : c.s3.trusted_proxies) joined += network + ";";
       return joined;
     },
     {"10.0.0.0/8;::1;", "10.0.0.1;", "fd00::/8;"}},
    {"s3.region", "'a'", "b", "c", [](const Config& c) { return c.s3.region; }, {"a", "b", "c"}},
    {"s3.threads",
     "1",
     "2",
     "3",
     [](const Config& c) { return std::to_string(c.s3.threads); },
     {"1", "2", "3"}},
    {"s3.open_beyond_loopback",
     "true",
     "false",
     "true",
     [](const Config& c) { return std::to_string(c.s3.allow_open_beyond_loopback); },
     {"1", "0", "1"}},
    {"store.inline_limit",
     "1",
     "2",
     "3",
     [](const Config& c) { return std::to_string(c.inline_limit); },
     {"1", "2", "3"}},
    {"log.level",
     "'debug'",
     "warning",
     "error",
     [](const Config& c) { return std::to_string(static_cast<int>(c.log_level)); },
     {"0", "2", "3"}},
    {"log.file",
     "'/a'",
     "/b",
     "/c",
     [](const Config& c) { return c.log_file; },
     {"/a", "/b", "/c"}},
};

TEST_F(ConfigTest, EverySettingHasItsRowOfPrecedence) {
  ASSERT_EQ(Settings().size(), std::size(kPrecedence));
  for (std::size_t i = 0; i < std::size(kPrecedence); ++i) {
    EXPECT_STREQ(Settings()[i].key, kPrecedence[i].key);
  }
}

TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsFileForEveryKey) {
  for (const Precedence& row : kPrecedence) {
    SCOPED_TRACE(row.key);
    const auto setting = std::ranges::find_if(
        Settings(), [&](const Setting& known) { return std::string_view(known.key) == row.key; });
    ASSERT_NE(setting, Settings().end());
    const std::string file = WriteFile(std::string(row.key) + " = " + row.in_file + "\n");
    const auto expect = [&](const Outcome<Config>& config, const char* expected,
                            const std::string& origin) {
      ASSERT_TRUE(config.has_value()) << config.error().text;
      EXPECT_EQ(row.read(*config), expected);
      EXPECT_EQ(OriginOf(*config, row.key), origin);
    };
    expect(Load(file), row.expected[0], file + " line 1: " + row.key);
    variables_[setting->environment] = row.in_environment;
    expect(Load(file), row.expected[1], setting->environment);
    expect(Load(file, {{setting->flag, row.as_flag}}), row.expected[2], setting->flag);
    variables_.erase(setting->environment);
    expect(Load(file, {{setting->flag, row.as_flag}}), row.expected[2], setting->flag);
  }
}

TEST_F(ConfigTest, EverySettingHasOneNameInEachSource) {
  std::map<std::string, int> seen;
  for (const Setting& setting : Settings()) {
    EXPECT_EQ(seen[setting.key]++, 0) << setting.key;
    EXPECT_EQ(seen[setting.environment]++, 0) << setting.environment;
    EXPECT_EQ(seen[setting.flag]++, 0) << setting.flag;
  }
}

TEST_F(ConfigTest, UnknownKeyOfFileIsRefusedWithItsLine) {
  const std::string file = WriteFile("data = \"/x\"\n[s3]\nlisten = \"127.0.0.1:1\"\nlisted = 3\n");
  ExpectRefused(Load(file), "line 4: unknown key 's3.listed'");
}

TEST_F(ConfigTest, UnknownSectionOfFileIsRefused) {
  ExpectRefused(Load(WriteFile("\n[s4]\nlisten = \"127.0.0.1:1\"\n")), "line 2: unknown key 's4'");
}

TEST_F(ConfigTest, BrokenFileIsRefusedWithItsLine) {
  ExpectRefused(Load(WriteFile("data = \"/x\"\nsocket = \n")), "line 2");
}

TEST_F(ConfigTest, WrongTypeIsRefused) {
  ExpectRefused(Load(WriteFile("[s3]\nlisten = { port = 3 }\n")), "line 2: s3.listen");
}

TEST_F(ConfigTest, MissingFileThatWasNamedIsRefused) {
  ExpectRefused(Load(directory_ + "/none.toml"), "none.toml can't be read");
}

TEST_F(ConfigTest, HugeFileIsRefused) {
  ExpectRefused(Load(WriteFile(std::string(2 << 20, '#'))), "over 1 MiB");
}

TEST_F(ConfigTest, BadValuesNameTheirSource) {
  ExpectRefused(Load(std::nullopt, {{"--auth", "maybe"}}),
                "--auth must be open or keys, not 'maybe'");
  ExpectRefused(Load(std::nullopt, {{"--s3", "localhost"}}), "--s3 must be HOST:PORT");
  ExpectRefused(Load(std::nullopt, {{"--s3", "localhost:65536"}}), "--s3 must end in a port");
  ExpectRefused(Load(std::nullopt, {{"--inline-limit", "65537"}}),
                "--inline-limit must be a number");
  ExpectRefused(Load(std::nullopt, {{"--inline-limit", "-1"}}), "--inline-limit must be a number");
  ExpectRefused(Load(std::nullopt, {{"--region", "A B"}}), "--region must be");
  ExpectRefused(Load(std::nullopt, {{"--domain", "a,,b"}}), "--domain must be host names");
  ExpectRefused(Load(std::nullopt, {{"--data", ""}}), "--data must not be empty");
  ExpectRefused(Load(std::nullopt, {{"--data", std::string("/a\0b", 4)}}),
                "--data must not contain a zero byte");
  ExpectRefused(Load(std::nullopt, {{"--socket", "/" + std::string(107, 'x')}}),
                "--socket is longer");
  ExpectRefused(Load(std::nullopt, {{"--s3-threads", "257"}}), "--s3-threads must be a number");
  variables_["AMPHORA_LOG_LEVEL"] = "loud";
  ExpectRefused(Load(std::nullopt), "AMPHORA_LOG_LEVEL must be debug");
}

TEST_F(ConfigTest, ListOfDomainsComesFromAnArray) {
  const Outcome<Config> config = Load(WriteFile("[s3]\ndomains = [\"s3.example.com\", \"b\"]\n"));
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->s3.domains, (std::vector<std::string>{"s3.example.com", "b"}));
}

TEST_F(ConfigTest, PathsBecomeAbsolute) {
  const Outcome<Config> config = Load(std::nullopt, {{"--data", "here/../there/"}});
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->data_directory, (std::filesystem::current_path() / "there").string());
}

}  // namespace
}  // namespace amphora::cli
