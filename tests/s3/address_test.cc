// Whom an address means, and whom we believe about it: hosts, forwarded headers, networks.
#include <gtest/gtest.h>

#include "s3/forwarded.h"
#include "s3/host.h"
#include "s3/request.h"

namespace amphora::s3 {
namespace {

const std::vector<std::string> kDomains = {"localhost", "s3.localhost", "example.org",
                                           "s3.example.org"};

TEST(HostTest, LosesItsPortItsCaseAndItsLastDot) {
  EXPECT_EQ(HostWithoutPort("Example.ORG:9878"), "example.org");
  EXPECT_EQ(HostWithoutPort("example.org."), "example.org");
  EXPECT_EQ(HostWithoutPort("example.org.:80"), "example.org");
  EXPECT_EQ(HostWithoutPort("[::1]:80"), "::1");
  EXPECT_EQ(HostWithoutPort(""), "");
}

TEST(HostTest, BelowADomainItNamesABucket) {
  EXPECT_EQ(BucketOfHost("photos.localhost", kDomains), "photos");
  EXPECT_EQ(BucketOfHost("photos.s3.localhost", kDomains), "photos");
  EXPECT_EQ(BucketOfHost("photos.example.org", kDomains), "photos");
  EXPECT_EQ(BucketOfHost("a.dotted.name.s3.example.org", kDomains), "a.dotted.name");
}

TEST(HostTest, OtherwiseTheAddressIsPathStyle) {
  for (const char* host :
       {"localhost", "s3.localhost", "example.org", "s3.example.org", "127.0.0.1", "::1",
        "other.org", "notexample.org", ".example.org", "", "."}) {
    EXPECT_EQ(BucketOfHost(host, kDomains), "") << host;
  }
  EXPECT_EQ(BucketOfHost("photos.localhost", {}), "");
}

TEST(HostTest, HasOnlyCharactersOfNamesAndAddressesAndIsNotTooLong) {
  for (const char* host :
       {"localhost", "Files.example-1.org:443", "[::1]:9878", "10.0.0.1", "a_b"}) {
    EXPECT_TRUE(IsHost(host)) << host;
  }
  for (const char* host : {"", "a b", "a/b", "user@host", "a?b", "\"", "<b>", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(IsHost(host)) << host;
  }
  EXPECT_TRUE(IsHost(std::string(253, 'a') + ":65535"));
  EXPECT_FALSE(IsHost(std::string(254, 'a') + ":65535"));
}

TEST(IpTest, ReadsBothFamiliesWithAndWithoutPort) {
  for (const char* text : {"1.2.3.4", " 1.2.3.4 ", "1.2.3.4:80", "::ffff:1.2.3.4"}) {
    ASSERT_TRUE(ParseIp(text)) << text;
    EXPECT_EQ(ToText(*ParseIp(text)), "1.2.3.4");
  }
  for (const char* text : {"2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443"}) {
    ASSERT_TRUE(ParseIp(text)) << text;
    EXPECT_EQ(ToText(*ParseIp(text)), "2001:db8::1");
  }
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "localhost", "[::1", "1.2.3.256", "::1::"}) {
    EXPECT_FALSE(ParseIp(text)) << text;
  }
}

TEST(TrustedProxiesTest, HoldsNetworksToTheBit) {
  const std::vector<std::string> networks = {"10.0.0.0/8", "192.168.1.128/25", "2001:db8::/33",
                                             "127.0.0.1"};
  std::size_t wrong = 0;
  const auto trusted = TrustedProxies::Parse(networks, &wrong);
  ASSERT_TRUE(trusted);
  for (const char* inside : {"10.0.0.0", "10.255.255.255", "192.168.1.128", "192.168.1.255",
                             "127.0.0.1", "2001:db8:7fff::1", "::ffff:10.1.1.1"}) {
    EXPECT_TRUE(trusted->Contains(*ParseIp(inside))) << inside;
  }
  for (const char* outside :
       {"11.0.0.0", "192.168.1.127", "127.0.0.2", "2001:db8:8000::1", "::1"}) {
    EXPECT_FALSE(trusted->Contains(*ParseIp(outside))) << outside;
  }
  EXPECT_FALSE(TrustedProxies().Contains(*ParseIp("127.0.0.1")));
}

TEST(TrustedProxiesTest, NamesTheOneThatCannotBeRead) {
  for (const char* bad :
       {"", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/", "/8", "host"}) {
    const std::vector<std::string> networks = {"10.0.0.0/8", bad};
    std::size_t wrong = 0;
    EXPECT_FALSE(TrustedProxies::Parse(networks, &wrong)) << bad;
    EXPECT_EQ(wrong, 1u);
  }
}

class OriginTest : public ::testing::Test {
 protected:
  Origin Find(std::string_view peer, std::vector<HeaderField> headers) {
    headers.push_back({"Host", "amphora.example:9878"});
    const RawRequest raw{.method = "GET",
                         .target = "/",
                         .headers = std::move(headers),
                         .peer = peer,
                         .encrypted = false};
    auto request = Request::Parse(raw, {});
    EXPECT_TRUE(request);
    const std::vector<std::string> networks = {"10.0.0.0/8"};
    std::size_t wrong = 0;
    return FindOrigin(*request, *TrustedProxies::Parse(networks, &wrong));
  }
};

TEST_F(OriginTest, OfAStrangerIsWhatTheConnectionSays) {
  const Origin origin = Find("203.0.113.1", {{"X-Forwarded-For", "1.1.1.1"},
                                             {"X-Forwarded-Proto", "https"},
                                             {"X-Forwarded-Host", "evil.example"}});
  EXPECT_EQ(origin.client, "203.0.113.1");
  EXPECT_EQ(origin.url(), "http://amphora.example:9878");
}

TEST_F(OriginTest, OfATrustedProxyIsWhatItForwards) {
  const Origin origin = Find("10.0.0.1", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.1, 10.9.9.9"},
                                          {"X-Forwarded-Proto", "https"},
                                          {"X-Forwarded-Host", "files.example.org"}});
  EXPECT_EQ(origin.client, "203.0.113.1");
  EXPECT_EQ(origin.url(), "https://files.example.org");
}

TEST_F(OriginTest, NonsenseIsNotRepeated) {
  const Origin origin = Find("10.0.0.1", {{"X-Forwarded-For", "unknown, <script>"},
                                          {"X-Forwarded-Proto", "gopher"},
                                          {"X-Forwarded-Host", "a\"><b>"}});
  EXPECT_EQ(origin.client, "10.0.0.1");
  EXPECT_EQ(origin.url(), "http://amphora.example:9878");
}

}  // namespace
}  // namespace amphora::s3
