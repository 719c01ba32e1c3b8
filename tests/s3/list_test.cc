// Listings, as both versions of ListObjects give them.
#include <algorithm>
#include <random>
#include <set>

#include "tests/s3/support/s3_test.h"

namespace amphora::test {
namespace {

using KeyList = std::vector<std::string>;

class ListTest : public S3Test {
 protected:
  void Store(const KeyList& keys) {
    for (const std::string& key : keys) ASSERT_TRUE(PutObject(key, "x").ok()) << key;
  }
};

// The Prefix elements inside of CommonPrefixes.
KeyList CommonPrefixes(const Reply& reply) {
  KeyList prefixes;
  for (const std::string& inside : reply.XmlAll("CommonPrefixes")) {
    Reply part;
    part.body = inside;
    prefixes.push_back(part.Xml("Prefix"));
  }
  return prefixes;
}

TEST_F(ListTest, AnEmptyBucketListsNothing) {
  const Reply reply = Get("/bucket?list-type=2");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Xml("Name"), "bucket");
  EXPECT_EQ(reply.Xml("KeyCount"), "0");
  EXPECT_EQ(reply.Xml("IsTruncated"), "false");
  EXPECT_EQ(reply.Xml("MaxKeys"), "1000");
}

TEST_F(ListTest, ContentsSayWhatHeadSays) {
  ASSERT_EQ(Put("/bucket/key", "12345").status, 200);
  const Reply listed = Get("/bucket");
  EXPECT_EQ(listed.Xml("Size"), "5");
  EXPECT_EQ(listed.Xml("StorageClass"), "STANDARD");
  EXPECT_EQ(listed.Xml("ID"), "tester");
  std::string etag = listed.Xml("ETag");
  EXPECT_EQ("&quot;" + Send("HEAD", "/bucket/key").Header("etag").substr(1, 32) + "&quot;", etag);
  EXPECT_TRUE(Get("/bucket?list-type=2").XmlAll("Owner").empty());
  EXPECT_EQ(Get("/bucket?list-type=2&fetch-owner=true").Xml("ID"), "tester");
}

TEST_F(ListTest, PrefixAndDelimiterFoldKeys) {
  Store({"a", "a/1", "a/2", "b/1", "b/2/3", "c"});
  const Reply top = Get("/bucket?list-type=2&delimiter=/");
  EXPECT_EQ(top.XmlAll("Key"), (KeyList{"a", "c"}));
  EXPECT_EQ(CommonPrefixes(top), (KeyList{"a/", "b/"}));
  EXPECT_EQ(top.Xml("KeyCount"), "4");
  const Reply inside = Get("/bucket?delimiter=%2F&prefix=b/");
  EXPECT_EQ(inside.XmlAll("Key"), KeyList{"b/1"});
  EXPECT_EQ(CommonPrefixes(inside), KeyList{"b/2/"});
  EXPECT_EQ(Get("/bucket?prefix=a").XmlAll("Key"), (KeyList{"a", "a/1", "a/2"}));
}

TEST_F(ListTest, PagesOfAnySizeGiveEveryKeyOnce) {
  std::mt19937 random(20240611);
  std::set<std::string> unique;
  while (unique.size() < 60) {
    std::string key;
    const std::size_t length = 1 + random() % 6;
    for (std::size_t i = 0; i < length; ++i) key.push_back("ab/-"[random() % 4]);
    unique.insert(key);
  }
  const KeyList keys(unique.begin(), unique.end());
  Store(keys);
  for (const std::string& delimiter : {std::string(), std::string("/"), std::string("b")}) {
    for (const int size : {1, 2, 7, 1000}) {
      const std::string query =
          "max-keys=" + std::to_string(size) + (delimiter.empty() ? "" : "&delimiter=" + delimiter);
      KeyList expected;
      for (const std::string& key : keys) {
        const std::size_t cut = delimiter.empty() ? std::string::npos : key.find(delimiter);
        const std::string row = cut == std::string::npos ? key : key.substr(0, cut + 1) + "*";
        if (expected.empty() || expected.back() != row) expected.push_back(row);
      }
      std::sort(expected.begin(), expected.end());
      for (const bool v2 : {false, true}) {
        KeyList found;
        std::string position;
        for (int pages = 0; pages < 200; ++pages) {
          const Reply page = Get("/bucket?" + query + (v2 ? "&list-type=2" : "") + position);
          ASSERT_EQ(page.status, 200) << page.body;
          KeyList rows = page.XmlAll("Key");
          for (const std::string& prefix : CommonPrefixes(page)) rows.push_back(prefix + "*");
          ASSERT_LE(rows.size(), static_cast<std::size_t>(size));
          found.insert(found.end(), rows.begin(), rows.end());
          if (page.Xml("IsTruncated") != "true") break;
          std::string next = page.Xml(v2 ? "NextContinuationToken" : "NextMarker");
          if (next.empty()) next = page.XmlAll("Key").back();  // V1 without a delimiter
          for (std::size_t at; (at = next.find('+')) != std::string::npos;)
            next.replace(at, 1, "%2B");
          position = (v2 ? "&continuation-token=" : "&marker=") + next;
        }
        std::sort(found.begin(), found.end());
        EXPECT_EQ(found, expected) << query << " v2=" << v2;
      }
    }
  }
}

TEST_F(ListTest, MarkerAndStartAfterAreExclusive) {
  Store({"a", "b", "c"});
  EXPECT_EQ(Get("/bucket?marker=a").XmlAll("Key"), (KeyList{"b", "c"}));
  EXPECT_EQ(Get("/bucket?list-type=2&start-after=b").XmlAll("Key"), KeyList{"c"});
  EXPECT_EQ(Get("/bucket?marker=aa").XmlAll("Key"), (KeyList{"b", "c"}));
}

TEST_F(ListTest, MaxKeysZeroListsNothingAndMoreThanAThousandIsAThousand) {
  Store({"a"});
  const Reply none = Get("/bucket?max-keys=0");
  EXPECT_EQ(none.status, 200);
  EXPECT_TRUE(none.XmlAll("Key").empty());
  EXPECT_EQ(none.Xml("IsTruncated"), "false");
  EXPECT_EQ(Get("/bucket?max-keys=5000").Xml("MaxKeys"), "1000");
  for (const char* bad : {"-1", "x", "1.5", "99999999999999"}) {
    const Reply reply = Get(std::string("/bucket?max-keys=") + bad);
    EXPECT_EQ(reply.status, 400) << bad;
    EXPECT_EQ(reply.Code(), "InvalidArgument");
  }
}

TEST_F(ListTest, AForeignContinuationTokenIsRefused) {
  for (const char* token : {"x", "", "AAAA", "%00", "MQ=="}) {
    const Reply reply = Get(std::string("/bucket?list-type=2&continuation-token=") + token);
    EXPECT_EQ(reply.status, 400) << token;
    EXPECT_EQ(reply.Code(), "InvalidArgument") << token;
  }
}

TEST_F(ListTest, UrlEncodingKeepsSlashesOnly) {
  Store({"a b/c+d&e", "\xc3\xa4"});
  const Reply reply = Get("/bucket?encoding-type=url&prefix=a%20b/");
  EXPECT_EQ(reply.Xml("Key"), "a%20b/c%2Bd%26e");
  EXPECT_EQ(reply.Xml("Prefix"), "a%20b/");
  EXPECT_EQ(reply.Xml("EncodingType"), "url");
  EXPECT_EQ(Get("/bucket?prefix=a").Xml("Key"), "a b/c+d&amp;e");
  EXPECT_EQ(Get("/bucket?encoding-type=x").Code(), "InvalidArgument");
}

TEST_F(ListTest, NamesThatXmlCannotHoldAreSentEncoded) {
  WriteFile(root_, "bell\x07", "x");
  WriteFile(root_, "latin\xe4", "x");
  const Reply reply = Get("/bucket");
  EXPECT_EQ(reply.Xml("EncodingType"), "url");
  EXPECT_EQ(reply.XmlAll("Key"), (KeyList{"bell%07", "latin%E4"}));
}

TEST_F(ListTest, AMissingBucketHasNoListing) {
  EXPECT_EQ(Get("/nobucket?list-type=2").Code(), "NoSuchBucket");
  EXPECT_EQ(Get("/bucket?list-type=3").Code(), "InvalidArgument");
}

}  // namespace
}  // namespace amphora::test
