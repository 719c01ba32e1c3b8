// Multipart uploads through the wire, for tests.
#pragma once

#include <string>
#include <vector>

#include "tests/s3/support/s3_test.h"

namespace amphora::test {

class UploadTest : public S3Test {
 protected:
  static constexpr std::size_t kPart = 5 << 20;  // the least that a part before the last may have

  // The id of a new upload of "/bucket/<key>".
  std::string Begin(const std::string& key, const HeaderList& headers = {}) {
    const Reply reply = Send("POST", "/bucket/" + key + "?uploads", headers);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.Xml("Bucket"), "bucket");
    return reply.Xml("UploadId");
  }

  Reply PutPart(const std::string& key, const std::string& id, int number, std::string_view content,
                const HeaderList& headers = {}) {
    return Put("/bucket/" + key + "?partNumber=" + std::to_string(number) + "&uploadId=" + id,
               content, headers);
  }

  // A line of the list: `extra` are more elements.
  static std::string Line(int number, const std::string& etag, const std::string& extra = "") {
    return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag +
           "</ETag>" + extra + "</Part>";
  }

  Reply Complete(const std::string& key, const std::string& id, const std::string& lines,
                 const HeaderList& headers = {}) {
    return Send("POST", "/bucket/" + key + "?uploadId=" + id, headers,
                "<CompleteMultipartUpload>" + lines + "</CompleteMultipartUpload>");
  }

  // Uploads `contents` as parts 1, 2, … and answers the list.
  std::string PutParts(const std::string& key, const std::string& id,
                       const std::vector<std::string>& contents) {
    std::string lines;
    int number = 0;
    for (const std::string& content : contents) {
      const Reply put = PutPart(key, id, ++number, content);
      EXPECT_EQ(put.status, 200) << put.body;
      lines += Line(number, put.Header("etag"));
    }
    return lines;
  }
};

}  // namespace amphora::test
