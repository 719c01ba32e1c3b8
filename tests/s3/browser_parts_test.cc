// The parts of the bucket browser: text that can't become markup, addresses that mean the key.
#include <gtest/gtest.h>

#include "s3/browser/answer.h"
#include "s3/browser/html.h"
#include "s3/browser/links.h"
#include "s3/browser/page.h"

namespace amphora::s3 {
namespace {

TEST(ShowNameTest, NothingInItIsMarkup) {
  EXPECT_EQ(ShowName("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
}

TEST(ShowNameTest, WhatCannotBeSeenIsShown) {
  EXPECT_EQ(ShowName("a\nb\tc\x7f"), "a\\nb\\tc\\u{7f}");
  EXPECT_EQ(ShowName(std::string_view("\0", 1)), "\\u{0}");
  EXPECT_EQ(ShowName("txt\u202eexe"), "txt\\u{202e}exe");
  EXPECT_EQ(ShowName("\u200b\ufeff\u0085"), "\\u{200b}\\u{feff}\\u{85}");
  EXPECT_EQ(ShowName("grüße 日本語 🏺"), "grüße 日本語 🏺");
}

TEST(ShowNameTest, BytesThatAreNoTextAreReplacedOneByOne) {
  EXPECT_EQ(ShowName("a\xff\xfe"), "a\ufffd\ufffd");
  EXPECT_EQ(ShowName("\xc3"), "\ufffd");                                // cut off
  EXPECT_EQ(ShowName("\xc0\xaf"), "\ufffd\ufffd");                      // longer than it must be
  EXPECT_EQ(ShowName("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");            // half of a pair
  EXPECT_EQ(ShowName("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");  // beyond Unicode
}

TEST(FailurePageTest, SaysWhatHappenedAndNothingInItIsMarkup) {
  Failure failure(S3Code::kNoSuchBucket, "There is no <b>bucket</b>.");
  const Response page = FailurePage(failure, "/<script>alert(1)</script>", "42<");
  EXPECT_EQ(page.status(), 404u);
  EXPECT_NE(page.header_lines().find("Content-Type: text/html; charset=utf-8\r\n"),
            std::string::npos);
  EXPECT_NE(page.header_lines().find("Content-Security-Policy: " + BrowserPolicy()),
            std::string::npos);
  const std::string& html = page.body();
  EXPECT_NE(html.find("<h1>404 Not Found</h1>"), std::string::npos);
  EXPECT_NE(html.find("There is no &lt;b&gt;bucket&lt;/b&gt;."), std::string::npos);
  EXPECT_NE(html.find("NoSuchBucket"), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("42<<"), std::string::npos);
}

TEST(ShowSizeTest, HasOneDigitBehindThePoint) {
  EXPECT_EQ(ShowSize(0), "0 B");
  EXPECT_EQ(ShowSize(1023), "1023 B");
  EXPECT_EQ(ShowSize(1024), "1.0 KiB");
  EXPECT_EQ(ShowSize(1536), "1.5 KiB");
  EXPECT_EQ(ShowSize((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(ShowSize(5ull << 40), "5.0 TiB");
  EXPECT_EQ(ShowSize(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(ShowNumber(0), "0");
  EXPECT_EQ(ShowNumber(999), "999");
  EXPECT_EQ(ShowNumber(1234567), "1,234,567");
}

TEST(AttachmentTest, CarriesAnyNameAndEndsNoHeader) {
  EXPECT_EQ(AttachmentOf("dir/a b.txt"), "attachment; filename=\"a b.txt\"");
  EXPECT_EQ(AttachmentOf("dir/"), "attachment; filename=\"download\"");
  EXPECT_EQ(AttachmentOf("q\"\r\n"), "attachment; filename=\"q___\"; filename*=UTF-8''q%22%0D%0A");
  EXPECT_EQ(AttachmentOf("ä"), "attachment; filename=\"__\"; filename*=UTF-8''%C3%A4");
}

class LinksTest : public ::testing::Test {
 protected:
  std::string Download(std::string_view host, std::string_view key,
                       const std::optional<Signing>& signing = {}) {
    const bool virtual_host = host != "localhost";
    const RawRequest raw{.method = "GET",
                         .target = virtual_host ? "/?browser=true" : "/bucket?browser=true",
                         .headers = {{"Host", host}}};
    const std::vector<std::string> domains = {"localhost"};
    auto request = Request::Parse(raw, domains);
    EXPECT_TRUE(request);
    return BrowserLinks(*request, signing).Download(key);
  }
};

TEST_F(LinksTest, AnOrdinaryKeyIsAPath) {
  EXPECT_EQ(Download("localhost", "dir/a b?#%.txt").substr(0, 30),
            "/bucket/dir/a%20b%3F%23%25.txt");
  EXPECT_EQ(Download("bucket.localhost", "dir/a").substr(0, 7), "/dir/a?");
  EXPECT_EQ(Download("localhost", "/x//y").substr(0, 14), "/bucket//x//y?");
}

TEST_F(LinksTest, AKeyThatAUserAgentWouldRewriteGoesIntoTheQuery) {
  for (const char* key : {"..", "a/../b", "a/.", "./a", "a/.."}) {
    EXPECT_TRUE(Download("localhost", key).starts_with("?browser=true&download=")) << key;
  }
  EXPECT_TRUE(Download("localhost", "a...b/.c/..d").starts_with("/bucket/"));
  // "//evil.example" would be another host.
  EXPECT_TRUE(
      Download("bucket.localhost", "/evil.example/x").starts_with("?browser=true&download="));
}

// The signature is botocore's, for the same request (tests/s3/auth/golden.json, "presigned get 0
// path http").
TEST(PresignTest, SignsAsBotocoreDoes) {
  std::string secret;
  for (int i = 0; i < 4; ++i) secret += "0123456789abcdef";
  const Signing signing{.access_key = "AKIDEXAMPLE",
                        .secret = secret,
                        .region = "us-east-1",
                        .timestamp = "20260228T235930Z",
                        .expires_seconds = 3600};
  const std::string query = PresignGet(signing, "s3.example.org:9878", "/bucket/plain.txt",
                                       {{"response-content-type", "text/html; x=\"a b\"", true}});
  EXPECT_TRUE(query.ends_with(
      "&X-Amz-Signature=4236150a130dfd43f81300630c99c6c96110b1afa1c2a8617c7a0f0f99be24b7"))
      << query;
}

TEST(BrowserAddressTest, IsTheBucketsPage) {
  EXPECT_EQ(BrowserAddress("http://localhost:9878/", "photos", "", {}),
            "http://localhost:9878/photos?browser=true");
  EXPECT_EQ(BrowserAddress("https://s3.example.org", "photos", "a b/", {}),
            "https://s3.example.org/photos?browser=true&prefix=a%20b%2F");
}

TEST(BrowserPolicyTest, AllowsItsOwnStyleAlone) {
  EXPECT_TRUE(BrowserPolicy().starts_with("default-src 'none'; style-src 'sha256-"));
  EXPECT_EQ(BrowserPolicy().find("unsafe"), std::string::npos);
}

}  // namespace
}  // namespace amphora::s3
