// The configuration's three sources, their order, and what they refuse.
#include "cli/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

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
