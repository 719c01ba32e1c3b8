// The small parts by themselves: dates, ranges, ETag lists, XML text, hosts.
#include <gtest/gtest.h>

#include <ctime>

#include "s3/conditions.h"
#include "s3/error.h"
#include "s3/gate.h"
#include "s3/http_date.h"
#include "s3/request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

TEST(HttpDateTest, AllThreeFormsAreTheSameMoment) {
  const Time moment = Time::FromTimespec({784111777, 0});
  EXPECT_EQ(ToHttpDate(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), moment);
  EXPECT_EQ(ParseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), moment);
  EXPECT_EQ(ParseHttpDate("Sun Nov  6 08:49:37 1994"), moment);
  EXPECT_EQ(ToIsoDate(Time::FromTimespec({784111777, 123999999})), "1994-11-06T08:49:37.123Z");
}

TEST(HttpDateTest, EveryDayIsWhatTheSystemSaysItIs) {
  for (std::time_t second = -86400 * 365; second < 7258118400; second += 86400 * 3 + 12345) {
    std::tm utc{};
    gmtime_r(&second, &utc);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    ASSERT_EQ(ToHttpDate(Time::FromTimespec({second, 0})), text);
    ASSERT_EQ(ParseHttpDate(text), Time::FromTimespec({second, 0}));
  }
}

TEST(HttpDateTest, AnythingElseIsNoDate) {
  for (const char* text :
       {"", "now", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "1994-11-06T08:49:37Z"}) {
    EXPECT_FALSE(ParseHttpDate(text)) << text;
  }
}

TEST(ETagListTest, QuotesAndWeakMarksAreTakenOff) {
  using List = std::vector<std::string>;
  EXPECT_EQ(ParseETags("\"a\""), List{"a"});
  EXPECT_EQ(ParseETags("a"), List{"a"});
  EXPECT_EQ(ParseETags("*"), List{"*"});
  EXPECT_EQ(ParseETags("\"a,b\" , W/\"c\",d"), (List{"a,b", "c", "d"}));
  EXPECT_EQ(ParseETags(" , ,"), List{});
  EXPECT_EQ(ParseETags("\"unclosed"), List{"\"unclosed"});
}

TEST(RangeTest, EveryFormIsReadOrLeftAlone) {
  const auto whole = [](std::string_view text) {
    const auto range = ParseRange(text, 100);
    return range.has_value() && !range->has_value();
  };
  const auto part = [](std::string_view text) {
    const auto range = ParseRange(text, 100);
    return range && *range ? std::pair((*range)->offset, (*range)->length) : std::pair(0ul, 0ul);
  };
  EXPECT_EQ(part("bytes=0-99"), std::pair(0ul, 100ul));
  EXPECT_EQ(part("bytes=99-"), std::pair(99ul, 1ul));
  EXPECT_EQ(part("bytes=-1"), std::pair(99ul, 1ul));
  EXPECT_EQ(part("Bytes=50-1000"), std::pair(50ul, 50ul));
  EXPECT_EQ(part("bytes=0-18446744073709551615"), std::pair(0ul, 100ul));
  EXPECT_TRUE(whole(""));
  EXPECT_TRUE(whole("bytes=1-0"));
  EXPECT_TRUE(whole("bytes=0-1,2-3"));
  EXPECT_TRUE(whole("bytes=--1"));
  EXPECT_FALSE(ParseRange("bytes=100-", 100));
  EXPECT_FALSE(ParseRange("bytes=-0", 100));
  EXPECT_FALSE(ParseRange("bytes=-1", 0));
}

TEST(XmlTest, TextIsEscapedAndIllegalCharactersAreReplaced) {
  XmlWriter xml;
  xml.Element("K",
              "<a&\"b\">\r\n\x01\xff"
              "\xc3\xa4");
  EXPECT_EQ(std::move(xml).Finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<K>&lt;a&amp;&quot;b&quot;&gt;&#13;&#10;\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4</K>");
}

TEST(XmlTest, OnlyLegalUtf8IsXmlText) {
  EXPECT_TRUE(IsXmlText("plain\t\n\xf0\x9f\x98\x80"));
  for (const char* bad : {"\x01", "\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xef\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsXmlText(bad));
  }
}

TEST(HostTest, PortAndBracketsAreTakenOff) {
  EXPECT_EQ(HostWithoutPort("Example.ORG:80"), "example.org");
  EXPECT_EQ(HostWithoutPort("[::1]:80"), "::1");
  EXPECT_EQ(HostWithoutPort("[::1]"), "::1");
  EXPECT_EQ(HostWithoutPort(""), "");
  EXPECT_TRUE(IsIpAddress("127.0.0.1"));
  EXPECT_TRUE(IsIpAddress("fe80::1"));
  EXPECT_FALSE(IsIpAddress("127.1"));
  EXPECT_FALSE(IsIpAddress("1.example"));
}

TEST(ErrorTableTest, EveryEngineErrorHasACodeAndAStatus) {
  for (const ErrorCode code : {
#define AMPHORA_ERROR(name, number, level, meaning) ErrorCode::name,
#include "meta/base/errors.def"
#undef AMPHORA_ERROR
       }) {
    const Failure failure = FromEngine(Error(code), Subject::kObject);
    EXPECT_FALSE(failure.code.empty()) << Name(code);
    EXPECT_GE(failure.status, 300u) << Name(code);
    EXPECT_NE(ReasonPhrase(failure.status), "Unknown") << failure.status;
  }
}

}  // namespace
}  // namespace amphora::s3
