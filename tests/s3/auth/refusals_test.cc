// What is not let in, and with which error.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/s3/auth/support.h"

namespace amphora::s3::test {
namespace {

AuthFailure FailureOf(const std::expected<Identity, AuthError>& outcome) {
  EXPECT_FALSE(outcome.has_value());
  return outcome.has_value() ? AuthFailure::kLookupFailed : outcome.error().failure;
}

TestRequest SignedGet(const SignOptions& options = {}) {
  TestRequest request{.method = "GET", .path = "/key"};
  SignByHeader(request, options);
  return request;
}

TestRequest PresignedGet(std::string_view expires, const SignOptions& options = {}) {
  TestRequest request{.method = "GET", .path = "/key"};
  Presign(request, expires, options);
  return request;
}

TEST(RefusalsTest, TheSignerOfTheseTestsIsLetIn) {
  EXPECT_TRUE(Verify(SignedGet()).has_value());
  EXPECT_TRUE(Verify(PresignedGet("60")).has_value());
}

TEST(RefusalsTest, NoSignatureAtAll) {
  EXPECT_EQ(FailureOf(Verify(TestRequest{})), AuthFailure::kAnonymous);
  EXPECT_EQ(RowOf(AuthFailure::kAnonymous).code, "AccessDenied");
}

TEST(RefusalsTest, OldAndForeignSchemes) {
  const std::pair<const char*, AuthFailure> rows[] = {
      {"AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", AuthFailure::kUnsupportedMechanism},
      {"AWS4-ECDSA-P256-SHA256 Credential=a/20130524/s3/aws4_request, SignedHeaders=host, "
       "Signature=0",
       AuthFailure::kUnsupportedMechanism},
      {"Basic dXNlcjpwYXNz", AuthFailure::kUnknownScheme},
      {"Bearer token", AuthFailure::kUnknownScheme},
      {"", AuthFailure::kUnknownScheme},
      {"AWS4-HMAC-SHA256", AuthFailure::kHeaderMalformed},
  };
  for (const auto& [value, failure] : rows) {
    TestRequest request = SignedGet();
    request.SetHeader("Authorization", value);
    EXPECT_EQ(FailureOf(Verify(request)), failure) << value;
  }
  TestRequest version_2{.query = "AWSAccessKeyId=A&Expires=1175139620&Signature=x"};
  const auto outcome = Verify(version_2);
  EXPECT_EQ(FailureOf(outcome), AuthFailure::kUnsupportedMechanism);
  EXPECT_EQ(RowOf(outcome.error().failure).http_status, 400u);
  EXPECT_EQ(RowOf(outcome.error().failure).code, "InvalidRequest");
  EXPECT_NE(outcome.error().Message().find("AWS4-HMAC-SHA256"), std::string_view::npos);
}

TEST(RefusalsTest, MalformedAuthorizationHeaders) {
  const std::string sixty_four(64, 'a');
  const std::string scope = "/20130524/us-east-1/s3/aws4_request";
  for (const std::string& value : {
           "Credential=A" + scope + ",SignedHeaders=host",
           "Credential=A" + scope + ",Signature=" + sixty_four,
           "SignedHeaders=host,Signature=" + sixty_four,
           "Credential=A" + scope + ",SignedHeaders=,Signature=" + sixty_four,
           "Credential=A" + scope + ",SignedHeaders=host;;date,Signature=" + sixty_four,
           "Credential=A" + scope + ",SignedHeaders=host,Signature=a,Signature=" + sixty_four,
           "Credential=A" + scope + ",SignedHeaders=host,Extra=1,Signature=" + sixty_four,
           "Credential=A" + scope + ",SignedHeaders=host,Signature",
           "Credential=" + scope + ",SignedHeaders=host,Signature=" + sixty_four,
           "Credential=A/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=" + sixty_four,
           "Credential=A/2013052/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=" +
               sixty_four,
           "Credential=A/20130524/us-east-1/s3/aws5_request,SignedHeaders=host,Signature=" +
               sixty_four,
           "Credential=A/20130524/us-east-1//aws4_request,SignedHeaders=host,Signature=" +
               sixty_four,
           "Credential=" + std::string(129, 'A') + scope +
               ",SignedHeaders=host,Signature=" + sixty_four,
           "Credential=A" + scope + ",SignedHeaders=host,Signature=" + std::string(20000, 'a'),
       }) {
    TestRequest request = SignedGet();
    request.SetHeader("Authorization", "AWS4-HMAC-SHA256 " + value);
    EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kHeaderMalformed) << value;
  }
}

TEST(RefusalsTest, WrongRegionNamesTheRightOne) {
  const auto by_header = Verify(SignedGet({.region = "eu-central-1"}));
  EXPECT_EQ(FailureOf(by_header), AuthFailure::kWrongRegion);
  EXPECT_EQ(by_header.error().region, "us-east-1");
  EXPECT_NE(by_header.error().Message().find("'us-east-1'"), std::string_view::npos);
  EXPECT_EQ(RowOf(AuthFailure::kWrongRegion).code, "AuthorizationHeaderMalformed");
  const auto by_query = Verify(PresignedGet("60", {.region = "eu-central-1"}));
  EXPECT_EQ(FailureOf(by_query), AuthFailure::kWrongQueryRegion);
  EXPECT_EQ(by_query.error().region, "us-east-1");
}

TEST(RefusalsTest, OtherServices) {
  EXPECT_EQ(FailureOf(Verify(SignedGet({.service = "sts"}))), AuthFailure::kHeaderMalformed);
  EXPECT_EQ(FailureOf(Verify(PresignedGet("60", {.service = "sts"}))),
            AuthFailure::kQueryMalformed);
}

TEST(RefusalsTest, ClocksMoreThanAQuarterOfAnHourApart) {
  const auto lookup = OneKey(kAwsKey, kAwsSecret);
  for (const std::int64_t seconds : {-900, 0, 900}) {
    EXPECT_TRUE(Verify(SignedGet(), AwsExampleTime(seconds), lookup).has_value()) << seconds;
  }
  for (const std::int64_t seconds : {-901, 901, 86400, -86400 * 365}) {
    EXPECT_EQ(FailureOf(Verify(SignedGet(), AwsExampleTime(seconds), lookup)),
              AuthFailure::kTimeSkewed)
        << seconds;
  }
}

TEST(RefusalsTest, DatesThatCannotBeRead) {
  for (const char* date :
       {"", "20130524", "20130524T000000", "20131324T000000Z", "20130532T000000Z",
        "20130524T250000Z", "2013-05-24T00:00:00Z", "Fri, 24 May 2013 00:00:00 GMT"}) {
    EXPECT_EQ(FailureOf(Verify(SignedGet({.timestamp = date}))), AuthFailure::kNoDate) << date;
  }
  TestRequest none = SignedGet();
  none.RemoveHeader("x-amz-date");
  EXPECT_EQ(FailureOf(Verify(none)), AuthFailure::kNoDate);
}

TEST(RefusalsTest, ADateHeaderStandsInForAmzDate) {
  TestRequest request{.path = "/key", .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}}};
  SignByHeader(request);
  EXPECT_TRUE(Verify(request).has_value());
}

TEST(RefusalsTest, ACredentialOfAnotherDay) {
  EXPECT_EQ(FailureOf(Verify(SignedGet({.day = "20130523"}))), AuthFailure::kHeaderMalformed);
  EXPECT_EQ(FailureOf(Verify(PresignedGet("60", {.day = "20130523"}))),
            AuthFailure::kQueryMalformed);
}

TEST(RefusalsTest, HeadersThatTheSignatureDoesNotCover) {
  TestRequest request = SignedGet();
  request.SetHeader("X-Amz-Meta-Added", "later");
  const auto outcome = Verify(request);
  EXPECT_EQ(FailureOf(outcome), AuthFailure::kUnsignedHeaders);
  EXPECT_NE(outcome.error().Message().find("x-amz-meta-added"), std::string_view::npos);

  TestRequest presigned = PresignedGet("60");
  presigned.SetHeader("x-amz-acl", "public-read");
  EXPECT_EQ(FailureOf(Verify(presigned)), AuthFailure::kUnsignedHeaders);

  EXPECT_EQ(
      FailureOf(Verify(SignedGet({.signed_headers = {"x-amz-content-sha256", "x-amz-date"}}))),
      AuthFailure::kUnsignedHeaders);

  TestRequest harmless = SignedGet();
  harmless.SetHeader("User-Agent", "anything");
  EXPECT_TRUE(Verify(harmless).has_value());
}

TEST(RefusalsTest, ARepeatedSignedHeaderIsPartOfTheSignature) {
  TestRequest request{.path = "/key", .headers = {{"x-amz-meta-a", "1,2"}}};
  SignByHeader(request);
  std::erase_if(request.headers, [](const auto& header) { return header.first == "x-amz-meta-a"; });
  request.headers.emplace_back("x-amz-meta-a", " 1 ");
  request.headers.emplace_back("X-Amz-Meta-A", "2\t");
  EXPECT_TRUE(Verify(request).has_value());
  request.headers.emplace_back("x-amz-meta-a", "3");
  EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kSignatureMismatch);
}

TEST(RefusalsTest, RunsOfBlanksInAValueCountAsOne) {
  TestRequest request{.path = "/key", .headers = {{"x-amz-meta-a", "a b c"}}};
  SignByHeader(request);
  for (auto& [name, value] : request.headers) {
    if (name == "x-amz-meta-a") value = "  a   b\t c ";
  }
  EXPECT_TRUE(Verify(request).has_value());
}

TEST(RefusalsTest, UnknownAndFailingKeys) {
  const auto unknown = Verify(SignedGet(), AwsExampleTime(), OneKey("other", kAwsSecret));
  EXPECT_EQ(FailureOf(unknown), AuthFailure::kUnknownAccessKey);
  EXPECT_EQ(unknown.error().access_key, kAwsKey);
  EXPECT_EQ(RowOf(AuthFailure::kUnknownAccessKey).code, "InvalidAccessKeyId");
  const KeyLookup failing = [](std::string_view) -> Result<fs::AccessKey> {
    return ErrorCode::kIo;
  };
  EXPECT_EQ(FailureOf(Verify(SignedGet(), AwsExampleTime(), failing)), AuthFailure::kLookupFailed);
}

TEST(RefusalsTest, NoErrorShowsTheSecretOrTheRightSignature) {
  const TestRequest good = SignedGet();
  TestRequest bad = good;
  for (auto& [name, value] : bad.headers) {
    if (name == "Authorization") value.back() = value.back() == 'a' ? 'b' : 'a';
  }
  const auto outcome = Verify(bad);
  EXPECT_EQ(FailureOf(outcome), AuthFailure::kSignatureMismatch);
  const std::string message(outcome.error().Message());
  EXPECT_EQ(message.find(kAwsSecret), std::string::npos);
  for (const auto& [name, value] : good.headers) {
    if (name != "Authorization") continue;
    EXPECT_EQ(message.find(value.substr(value.rfind('=') + 1, 32)), std::string::npos);
  }
}

TEST(RefusalsTest, PresignedParameters) {
  for (const char* expires : {"0", "-1", "604801", "99999999999999999999", "", "x", "60s", "1e3"}) {
    EXPECT_EQ(FailureOf(Verify(PresignedGet(expires))), AuthFailure::kQueryMalformed) << expires;
  }
  EXPECT_TRUE(Verify(PresignedGet("604800")).has_value());
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                           "X-Amz-SignedHeaders", "X-Amz-Signature"}) {
    TestRequest request = PresignedGet("60");
    request.query += std::string("&") + name + "=again";
    EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kQueryMalformed) << name;
    TestRequest missing = PresignedGet("60");
    missing.query.replace(missing.query.find(name), 5, "Y-Amz");
    EXPECT_EQ(FailureOf(Verify(missing)), AuthFailure::kQueryMalformed) << name;
  }
}

TEST(RefusalsTest, PresignedForTheFuture) {
  const auto lookup = OneKey(kAwsKey, kAwsSecret);
  EXPECT_TRUE(Verify(PresignedGet("60"), AwsExampleTime(-900), lookup).has_value());
  EXPECT_EQ(FailureOf(Verify(PresignedGet("60"), AwsExampleTime(-901), lookup)),
            AuthFailure::kNotYetValid);
}

TEST(RefusalsTest, TwoMechanismsAtOnce) {
  TestRequest request = PresignedGet("60");
  SignByHeader(request);
  EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kSeveralMechanisms);
}

TEST(RefusalsTest, BrokenEscapes) {
  for (const char* path : {"/a%", "/a%2", "/a%zz"}) {
    TestRequest request = SignedGet();
    request.path = path;
    EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kMalformedUri) << path;
  }
  TestRequest request = SignedGet();
  request.query = "prefix=%G0";
  EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kMalformedUri);
}

TEST(RefusalsTest, SessionTokens) {
  TestRequest request{.path = "/key", .headers = {{"x-amz-security-token", "token"}}};
  SignByHeader(request);
  EXPECT_EQ(FailureOf(Verify(request)), AuthFailure::kInvalidToken);
}

TEST(RefusalsTest, EveryFailureHasARowWithACodeAndAText) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(AuthFailure::kLookupFailed); ++i) {
    const AuthFailureRow& row = RowOf(static_cast<AuthFailure>(i));
    EXPECT_EQ(static_cast<std::size_t>(row.failure), i);
    EXPECT_GE(row.http_status, 400u);
    EXPECT_FALSE(row.code.empty());
    EXPECT_FALSE(row.message.empty());
  }
}

// More keys than the cache of signing keys holds, from several threads, right and wrong secrets
// mixed.
TEST(RefusalsTest, ManyKeysFromManyThreads) {
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread, &wrong] {
      for (int i = 0; i < 600; ++i) {
        const std::string secret = "secret" + std::to_string((i * 7 + thread) % 400);
        TestRequest request{.path = "/key"};
        SignByHeader(request, {.secret = secret});
        const bool good = Verify(request, AwsExampleTime(), OneKey(kAwsKey, secret)).has_value();
        const bool bad =
            Verify(request, AwsExampleTime(), OneKey(kAwsKey, secret + "x")).has_value();
        if (!good || bad) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace amphora::s3::test
