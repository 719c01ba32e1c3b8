// Request targets exactly as sent: decoding, encoding and queries.
#include "s3/uri.h"

#include <gtest/gtest.h>

#include <random>

namespace amphora::s3 {
namespace {

TEST(UriTest, DecodesOnceAndKeepsOddPaths) {
  EXPECT_EQ(PercentDecode("/b//a/./../%2e%2E/%252F+", Plus::kLiteral), "/b//a/./../../%2F+");
  EXPECT_EQ(PercentDecode("a+b%2B%00", Plus::kSpace), std::string("a b+\0", 5));
  EXPECT_EQ(PercentDecode("", Plus::kLiteral), "");
}

TEST(UriTest, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%2", "%2x", "%x2", "a%%20", "%-1", "% 1"}) {
    EXPECT_EQ(PercentDecode(text, Plus::kLiteral), std::nullopt) << text;
  }
}

TEST(UriTest, EncodesAllButTheUnreserved) {
  EXPECT_EQ(UriEncode("AZaz09-._~", Slash::kEncode), "AZaz09-._~");
  EXPECT_EQ(UriEncode("a/b c+\xc3\xa9*", Slash::kKeep), "a/b%20c%2B%C3%A9%2A");
  EXPECT_EQ(UriEncode("a/b", Slash::kEncode), "a%2Fb");
}

TEST(UriTest, DecodingUndoesEncodingOfAnyBytes) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    std::string text(random() % 64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_EQ(PercentDecode(UriEncode(text, Slash::kKeep), Plus::kLiteral), text);
    EXPECT_EQ(PercentDecode(UriEncode(text, Slash::kEncode), Plus::kSpace), text);
  }
}

TEST(UriTest, QueriesKeepOrderEmptyValuesAndEqualsSigns) {
  const auto query = ParseQuery("acl&prefix=&b=1=2&&b=%26+x&=v");
  ASSERT_TRUE(query);
  ASSERT_EQ(query->size(), 5u);
  EXPECT_EQ((*query)[0].name, "acl");
  EXPECT_FALSE((*query)[0].has_value);
  EXPECT_EQ((*query)[1].name, "prefix");
  EXPECT_TRUE((*query)[1].has_value);
  EXPECT_EQ((*query)[1].value, "");
  EXPECT_EQ((*query)[2].value, "1=2");
  EXPECT_EQ((*query)[3].value, "& x");
  EXPECT_EQ((*query)[4].name, "");
  EXPECT_EQ(ParseQuery("")->size(), 0u);
}

TEST(UriTest, QueriesHaveALimit) {
  std::string query;
  for (std::size_t i = 0; i < kMaxQueryParameters; ++i) query += "a=b&";
  EXPECT_TRUE(ParseQuery(query));
  EXPECT_FALSE(ParseQuery(query + "c"));
  EXPECT_FALSE(ParseQuery("a=%"));
}

}  // namespace
}  // namespace amphora::s3
