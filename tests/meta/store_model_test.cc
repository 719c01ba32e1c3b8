// Random transactions against an in-memory reference: reads through the transaction, a snapshot and
// the newest state must equal the reference's after every step, across reopening. A failure prints
// the seed; AMPHORA_TEST_SEED repeats it.

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "tests/meta/store_fixture.h"
#include "tests/support/scale.h"

namespace amphora::meta {
namespace {

using Model = std::map<std::string, std::string>;

std::uint64_t Seed() {
  const char* fixed = std::getenv("AMPHORA_TEST_SEED");
  return fixed == nullptr ? std::random_device{}() : std::strtoull(fixed, nullptr, 10);
}

// Few and short keys, so that they meet; one is a prefix of another, and some hold 0 and 255.
std::string RandomKey(std::mt19937_64& random) {
  static const std::string alphabet("\0a/b\xff", 5);
  std::string key;
  const std::size_t length = random() % 4;
  for (std::size_t i = 0; i <= length; ++i) key.push_back(alphabet[random() % alphabet.size()]);
  return key;
}

std::vector<Row> Expected(const Model& model, const KeyRange& range, const ScanOptions& options) {
  std::vector<Row> rows;
  for (const auto& [key, value] : model) {
    if (key >= range.begin && (range.end.empty() || key < range.end)) rows.push_back({key, value});
  }
  if (options.direction == Direction::kBackward) std::ranges::reverse(rows);
  if (rows.size() > options.limit) rows.resize(options.limit);
  return rows;
}

void ExpectSame(Reader& reader, Table table, const Model& model, std::mt19937_64& random) {
  const std::string key = RandomKey(random);
  const auto got = reader.Get(table, key);
  ASSERT_TRUE(got.ok());
  const auto at = model.find(key);
  ASSERT_EQ(*got, at == model.end() ? std::nullopt : std::optional(at->second));

  std::vector<std::string> keys;
  for (std::size_t i = random() % 5; i > 0; --i) keys.push_back(RandomKey(random));
  const auto many = reader.MultiGet(table, keys);
  ASSERT_TRUE(many.ok());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = model.find(keys[i]);
    ASSERT_EQ((*many)[i], found == model.end() ? std::nullopt : std::optional(found->second));
  }

  KeyRange range;
  if (random() % 4 != 0) range.begin = RandomKey(random);
  if (random() % 4 != 0) range.end = RandomKey(random);
  const ScanOptions options{.limit = 1 + random() % 40,
                            .direction = random() % 2 ? Direction::kForward : Direction::kBackward};
  const auto rows = reader.Scan(table, range, options);
  ASSERT_TRUE(rows.ok());
  const std::vector<Row> expected = Expected(model, range, options);
  ASSERT_EQ(rows->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ((*rows)[i].key, expected[i].key);
    ASSERT_EQ((*rows)[i].value, expected[i].value);
  }
}

void RandomWrite(Transaction& transaction, Table table, Model& model, std::mt19937_64& random) {
  const std::string key = RandomKey(random);
  // On both sides of the size from which content goes to blob files.
  const std::string value(random() % 1200, static_cast<char>('a' + random() % 26));
  switch (random() % 4) {
    case 0:
      ASSERT_TRUE(transaction.Put(table, key, value).ok());
      model[key] = value;
      break;
    case 1:
      ASSERT_TRUE(transaction.PutFresh(table, key, value).ok());
      model[key] = value;
      break;
    case 2:
      ASSERT_TRUE(transaction.Erase(table, key).ok());
      model.erase(key);
      break;
    default:
      ASSERT_TRUE(transaction.EraseOwned(table, key).ok());
      model.erase(key);
      break;
  }
}

template <typename T>
class StoreModelTest : public StoreTest<T> {
 protected:
  // One transaction of random writes, compared at each step; committed two times of three.
  void RunTransaction(std::mt19937_64& random, std::array<Model, 2>& committed) {
    std::array<Model, 2> models = committed;
    const auto transaction = this->store().Begin();
    for (std::size_t steps = random() % 12; steps > 0; --steps) {
      const std::size_t which = random() % 2;
      const Table table = which == 0 ? Table::kRows : Table::kContent;
      ASSERT_NO_FATAL_FAILURE(RandomWrite(*transaction, table, models[which], random));
      ASSERT_NO_FATAL_FAILURE(ExpectSame(*transaction, table, models[which], random));
      ASSERT_NO_FATAL_FAILURE(ExpectSame(this->newest(), table, committed[which], random));
    }
    if (random() % 3 == 0) return;
    ASSERT_TRUE(transaction->Commit().ok());
    committed = models;
  }
};
TYPED_TEST_SUITE(StoreModelTest, Implementations);

TYPED_TEST(StoreModelTest, RandomTransactionsEqualTheReference) {
  const std::uint64_t seed = Seed();
  SCOPED_TRACE("AMPHORA_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::array<Model, 2> committed;
  const int rounds = test::Scaled(1500, 100);
  for (int round = 0; round < rounds; ++round) {
    const std::array<Model, 2> before = committed;
    const auto snapshot = this->store().Snapshot();
    ASSERT_NO_FATAL_FAILURE(this->RunTransaction(random, committed));
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*snapshot, Table::kRows, before[0], random));
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*snapshot, Table::kContent, before[1], random));
    ASSERT_NO_FATAL_FAILURE(ExpectSame(this->newest(), Table::kRows, committed[0], random));
  }
  this->Open();
  for (int i = 0; i < 200; ++i) {
    ASSERT_NO_FATAL_FAILURE(ExpectSame(this->newest(), Table::kRows, committed[0], random));
    ASSERT_NO_FATAL_FAILURE(ExpectSame(this->newest(), Table::kContent, committed[1], random));
  }
}

}  // namespace
}  // namespace amphora::meta
