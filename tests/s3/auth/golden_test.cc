// Requests as boto3 really signs them (golden.json, written by make_golden.py): odd keys, odd
// access keys, metadata, presigned URLs, unsigned chunks with trailers.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fs/data/digests.h"
#include "meta/base/encoding.h"
#include "s3/aws_chunked.h"
#include "s3/uri.h"
#include "tests/s3/auth/support.h"

namespace amphora::s3::test {
namespace {

struct Golden {
  TestRequest request;
  std::string name;
  std::string access_key;
  std::string body;
};

class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = nlohmann::json::parse(std::ifstream(AMPHORA_GOLDEN_FILE));
    now_ = Time(data["unix_now"].get<std::int64_t>() * 1'000'000'000);
    secret_ = data["secret"];
    for (const auto& row : data["cases"]) {
      Golden golden{
          .request = {}, .name = row["name"], .access_key = row["access_key"], .body = {}};
      const std::string target = row["target"];
      const std::size_t mark = std::min(target.find('?'), target.size());
      golden.request.method = row["method"];
      golden.request.path = target.substr(0, mark);
      golden.request.query = target.substr(std::min(mark + 1, target.size()));
      for (const auto& header : row["headers"]) {
        golden.request.headers.emplace_back(header[0], header[1]);
      }
      golden.body = FromHex(row["body"].get<std::string>()).value();
      cases_.push_back(std::move(golden));
    }
    ASSERT_GT(cases_.size(), 200u);
  }

  std::expected<Identity, AuthError> Check(const Golden& golden) const {
    return Verify(golden.request, now_, OneKey(golden.access_key, secret_));
  }

  Time now_;
  std::string secret_;
  std::vector<Golden> cases_;
};

TEST_F(GoldenTest, EveryRequestOfBoto3IsLetIn) {
  for (const Golden& golden : cases_) {
    const auto identity = Check(golden);
    ASSERT_TRUE(identity.has_value()) << golden.name << ": " << identity.error().Message();
    EXPECT_EQ(identity->access_key, golden.access_key) << golden.name;
  }
}

TEST_F(GoldenTest, NoneIsLetInWithAnotherSecretOrTarget) {
  for (const Golden& golden : cases_) {
    const auto wrong_secret =
        Verify(golden.request, now_, OneKey(golden.access_key, "f" + secret_.substr(1)));
    ASSERT_FALSE(wrong_secret.has_value()) << golden.name;
    EXPECT_EQ(wrong_secret.error().failure, AuthFailure::kSignatureMismatch) << golden.name;
    Golden elsewhere = golden;
    elsewhere.request.path += "x";
    EXPECT_FALSE(Check(elsewhere).has_value()) << golden.name;
  }
}

TEST_F(GoldenTest, ChunkedBodiesDecodeAndTheirChecksumsHold) {
  int chunked = 0;
  for (const Golden& golden : cases_) {
    const auto identity = Check(golden);
    ASSERT_TRUE(identity.has_value());
    if (!IsChunked(identity->payload.mode)) continue;
    ++chunked;
    AwsChunkedDecoder decoder(identity->payload, identity->chunk_signing);
    const fs::DigestKind wanted[] = {fs::DigestKind::kCrc32};
    fs::DigestSet digests(wanted);
    auto input = std::as_bytes(std::span(golden.body));
    while (!input.empty()) {
      const auto step = decoder.Decode(input);
      ASSERT_TRUE(step.has_value()) << golden.name << RowOf(step.error()).message;
      digests.Update(step->payload);
      input = input.subspan(step->consumed);
    }
    ASSERT_TRUE(decoder.Finish().has_value()) << golden.name;
    ASSERT_EQ(decoder.trailers().size(), 1u);
    EXPECT_EQ(decoder.trailers()[0].first, "x-amz-checksum-crc32");
    EXPECT_EQ(decoder.trailers()[0].second, ToBase64(digests.Finish()[fs::DigestKind::kCrc32]));
  }
  EXPECT_GT(chunked, 0);
}

}  // namespace
}  // namespace amphora::s3::test
