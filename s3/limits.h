// Every limit on what comes from outside, in one place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace amphora::s3 {

inline constexpr std::size_t kMaxUriBytes = 16 << 10;
inline constexpr std::size_t kMaxHeaderBytes = 16 << 10;  // all header fields together
inline constexpr std::size_t kMaxHeaderFields = 100;
inline constexpr std::size_t kMaxUserMetadataBytes = 2 << 10;  // S3: working with object metadata
inline constexpr std::size_t kMaxXmlBytes = 2 << 20;           // S3: DeleteObjects
inline constexpr std::size_t kMaxCompleteBytes = 4 << 20;      // 10,000 parts with checksums
inline constexpr std::size_t kMaxDeleteKeys = 1000;            // S3: DeleteObjects
inline constexpr std::size_t kMaxListKeys = 1000;              // S3: ListObjects
inline constexpr std::size_t kMaxBuckets = 10000;              // of one ListBuckets page

// Memory of one connection: its input buffer, and one piece of a body on its way in or out.
inline constexpr std::size_t kInputBytes = 16 << 10;
inline constexpr std::size_t kPieceBytes = 256 << 10;
// Bodies up to this size are read whole and stored in one visit to the pool.
inline constexpr std::size_t kSmallBodyBytes = 64 << 10;
// What a refused request's body may still bring before the connection is cut instead.
inline constexpr std::uint64_t kMaxDiscardBytes = 1 << 20;
// What is read and thrown away of a request that was refused while its body came, before the
// connection is closed: a client that is still sending would get a reset instead of the answer
// (RFC 9112, section 9.6). Bounded in time as well.
inline constexpr std::uint64_t kMaxLingerBytes = 256 << 20;

inline constexpr std::size_t kMaxConnections = 10000;
inline constexpr std::size_t kPoolThreads = 16;
inline constexpr auto kDrainTime = std::chrono::seconds(10);
inline constexpr auto kGoodbyeTime = std::chrono::seconds(1);  // for answers that are on their way

}  // namespace amphora::s3
