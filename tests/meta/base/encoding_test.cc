// Hexadecimal and base64 against RFC 4648, and what must be refused.
#include "meta/base/encoding.h"

#include <gtest/gtest.h>

#include <random>

namespace amphora {
namespace {

TEST(EncodingTest, HexRoundTripsAndTakesBothCases) {
  EXPECT_EQ(ToHex(std::string_view("\x00\x7f\xff\x10", 4)), "007fff10");
  EXPECT_EQ(FromHex("007FfF10"), std::string("\x00\x7f\xff\x10", 4));
  EXPECT_EQ(FromHex(""), "");
}

TEST(EncodingTest, HexRefusesOddLengthsAndForeignCharacters) {
  for (const char* text : {"0", "0g", " 0", "0x", "000", "0\xe9"}) {
    EXPECT_EQ(FromHex(text), std::nullopt) << text;
  }
}

TEST(EncodingTest, Base64AnswersOfTheRfc) {
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : rows) {
    EXPECT_EQ(ToBase64(bytes), text);
    EXPECT_EQ(FromBase64(text), bytes);
  }
}

TEST(EncodingTest, Base64RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 8=", "Zm8=\n",
                           "=m8=", "Z===", "====", "Zm8-", "Zg==Zg=="}) {
    EXPECT_EQ(FromBase64(text), std::nullopt) << text;
  }
}

TEST(EncodingTest, Base64RoundTripsAnyBytes) {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(FromBase64(ToBase64(bytes)), bytes);
    EXPECT_EQ(FromHex(ToHex(bytes)), bytes);
  }
}

}  // namespace
}  // namespace amphora
