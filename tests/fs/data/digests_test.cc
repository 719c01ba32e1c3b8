// Digests against published answers, in one piece and in many.
#include "fs/data/digests.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fs/data/crc.h"
#include "meta/base/encoding.h"

namespace amphora::fs {
namespace {

constexpr DigestKind kAll[] = {DigestKind::kMd5,   DigestKind::kSha256, DigestKind::kSha1,
                               DigestKind::kCrc32, DigestKind::kCrc32c, DigestKind::kCrc64Nvme};

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Digests DigestsOf(std::string_view text) {
  DigestSet set(kAll);
  set.Update(Bytes(text));
  return set.Finish();
}

std::string RandomText(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST(DigestsTest, OfNoBytes) {
  const Digests digests = DigestsOf("");
  EXPECT_EQ(ToHex(digests[DigestKind::kMd5]), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(ToHex(digests[DigestKind::kSha1]), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(ToHex(digests[DigestKind::kSha256]),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(digests[DigestKind::kCrc32]), "00000000");
  EXPECT_EQ(ToHex(digests[DigestKind::kCrc32c]), "00000000");
  EXPECT_EQ(ToHex(digests[DigestKind::kCrc64Nvme]), "0000000000000000");
}

// The check values of the catalogue of parametrised CRC algorithms are those of "123456789".
TEST(DigestsTest, OfTheCheckString) {
  const Digests digests = DigestsOf("123456789");
  EXPECT_EQ(ToHex(digests[DigestKind::kMd5]), "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(ToHex(digests[DigestKind::kSha1]), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
  EXPECT_EQ(ToHex(digests[DigestKind::kSha256]),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
  EXPECT_EQ(ToHex(digests[DigestKind::kCrc32]), "cbf43926");
  EXPECT_EQ(ToHex(digests[DigestKind::kCrc32c]), "e3069283");
  EXPECT_EQ(ToHex(digests[DigestKind::kCrc64Nvme]), "ae8b14860a799888");
}

// RFC 3720, B.4; NVM Express NVM command set, 64-bit CRC test cases.
TEST(DigestsTest, OfTheStandardsBlocks) {
  EXPECT_EQ(Crc32c(0, Bytes(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(Crc32c(0, Bytes(std::string(32, '\xff'))), 0x62a8ab43u);
  EXPECT_EQ(Crc64Nvme(0, Bytes(std::string(4096, '\0'))), 0x6482d367eb22b64eu);
  EXPECT_EQ(Crc64Nvme(0, Bytes(std::string(4096, '\xff'))), 0xc0ddba7302eca3acu);
}

TEST(DigestsTest, DoNotDependOnHowTheBytesAreCut) {
  const std::string text = RandomText(100'003, 1);
  const Digests whole = DigestsOf(text);
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; ++round) {
    DigestSet set(kAll);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = std::min<std::size_t>(random() % 3000, text.size() - at);
      set.Update(Bytes(text).subspan(at, size));
      at += size;
    }
    EXPECT_EQ(set.Finish().values, whole.values);
  }
}

TEST(DigestsTest, InstructionAndTablesAgreeAtEveryLengthAndAlignment) {
  const std::string text = RandomText(600, 3);
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t size = 0; size + start <= text.size(); ++size) {
      const auto part = Bytes(text).subspan(start, size);
      ASSERT_EQ(Crc32c(7, part), Crc32cByTables(7, part)) << start << " " << size;
    }
  }
}

TEST(DigestsTest, MultiplicationAndTablesAgreeAtEveryLengthAndAlignment) {
  std::vector<std::byte> bytes(1200);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i % 251);
  for (std::size_t begin = 0; begin < 17; ++begin) {
    for (std::size_t length = 0; length < 1100; ++length) {
      const auto part = std::span<const std::byte>(bytes).subspan(begin, length);
      const std::uint64_t crc = length * 0x9e3779b97f4a7c15u;
      ASSERT_EQ(Crc64Nvme(crc, part), Crc64NvmeByTables(crc, part)) << begin << " " << length;
    }
  }
}

TEST(DigestsTest, CrcsOfTwoRunsCombineToTheWholes) {
  std::vector<std::byte> bytes(5000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 % 253);
  for (const DigestKind kind : {DigestKind::kCrc32, DigestKind::kCrc32c, DigestKind::kCrc64Nvme}) {
    const auto of = [kind](std::span<const std::byte> part) {
      DigestSet set({{kind}});
      set.Update(part);
      return set.Finish()[kind];
    };
    for (const std::size_t cut : {0u, 1u, 7u, 64u, 1000u, 4999u, 5000u}) {
      const auto whole = std::span<const std::byte>(bytes);
      EXPECT_EQ(CombineCrcs(kind, of(whole.first(cut)), of(whole.subspan(cut)), 5000 - cut),
                of(whole));
    }
  }
}

TEST(DigestsTest, OnlyWhatWasAskedForIsAnswered) {
  const DigestKind wanted[] = {DigestKind::kMd5, DigestKind::kCrc32c};
  DigestSet set(wanted);
  set.Update(Bytes("123456789"));
  const Digests digests = set.Finish();
  for (const DigestKind kind : kAll) {
    const bool asked = kind == DigestKind::kMd5 || kind == DigestKind::kCrc32c;
    EXPECT_EQ(digests[kind].size(), asked ? DigestBytes(kind) : 0);
  }
}

TEST(DigestsTest, FinishStartsOver) {
  DigestSet set(kAll);
  set.Update(Bytes("something else"));
  (void)set.Finish();
  set.Update(Bytes("123456789"));
  EXPECT_EQ(set.Finish().values, DigestsOf("123456789").values);
}

TEST(DigestsTest, AnEmptySetAnswersNothing) {
  DigestSet set({});
  set.Update(Bytes("123456789"));
  EXPECT_EQ(set.Finish().values, Digests().values);
}

}  // namespace
}  // namespace amphora::fs
