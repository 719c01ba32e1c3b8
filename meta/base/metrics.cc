#include "meta/base/metrics.h"

namespace amphora {
namespace {

struct Row {
  std::string_view name;
  std::string_view help;
};

constexpr Row kRows[] = {
#define AMPHORA_COUNTER_ROW(name, text, help) {text, help},
    AMPHORA_COUNTERS(AMPHORA_COUNTER_ROW)
#undef AMPHORA_COUNTER_ROW
};

constexpr std::string_view kMountOperations[] = {
#define AMPHORA_MOUNT_OPERATION_ROW(name, text) text,
    AMPHORA_MOUNT_OPERATIONS(AMPHORA_MOUNT_OPERATION_ROW)
#undef AMPHORA_MOUNT_OPERATION_ROW
};

}  // namespace

std::string_view MountOperationName(MountOperation operation) {
  return kMountOperations[static_cast<std::size_t>(operation)];
}
std::string_view CounterName(Counter counter) {
  return kRows[static_cast<std::size_t>(counter)].name;
}
std::string_view CounterHelp(Counter counter) {
  return kRows[static_cast<std::size_t>(counter)].help;
}

}  // namespace amphora
