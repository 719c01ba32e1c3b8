#include "s3/router.h"

#include <algorithm>

#include "s3/ops/ops.h"

namespace amphora::s3 {
namespace {

// Headers that change what a write does and that only some operations heed.
enum Takes : unsigned {
  kNoExtras = 0,
  kIfMatch = 1,
  kIfNoneMatch = 2,
  kCopySource = 4,
};

struct RouteRow {
  Method method;
  Scope scope;
  std::string_view selector;
  unsigned takes;
  Operation operation;  // nullptr: known, not built
  std::string_view name;
};

constexpr std::string_view kCopySourceHeader = "x-amz-copy-source";

constexpr RouteRow kRoutes[] = {
#define S3_ROUTE(method, scope, selector, takes, operation) \
  {Method::method, Scope::scope, selector, takes, operation, #operation},
#define S3_NOT_BUILT_ROUTE(method, scope) \
  {Method::method, Scope::scope, "", kNoExtras, nullptr, ""},
#define S3_SUBRESOURCE(name)
#define S3_HEADER(method, name, allowed)
#include "s3/routes.def"
#undef S3_ROUTE
#undef S3_NOT_BUILT_ROUTE
#undef S3_SUBRESOURCE
#undef S3_HEADER
};

// A name stands here once for each of its routes; the first counts.
constexpr std::string_view kOperationNames[] = {
#define S3_ROUTE(method, scope, selector, takes, operation) #operation,
#define S3_NOT_BUILT_ROUTE(method, scope)
#define S3_SUBRESOURCE(name)
#define S3_HEADER(method, name, allowed)
#include "s3/routes.def"
#undef S3_ROUTE
#undef S3_NOT_BUILT_ROUTE
#undef S3_SUBRESOURCE
#undef S3_HEADER
};

constexpr std::string_view kSubresources[] = {
#define S3_ROUTE(method, scope, selector, takes, operation)
#define S3_NOT_BUILT_ROUTE(method, scope)
#define S3_SUBRESOURCE(name) name,
#define S3_HEADER(method, name, allowed)
#include "s3/routes.def"
#undef S3_ROUTE
#undef S3_NOT_BUILT_ROUTE
#undef S3_SUBRESOURCE
#undef S3_HEADER
};
static_assert(std::ranges::is_sorted(kSubresources));

struct HeaderRow {
  Method method;
  std::string_view name;
  std::string_view allowed;
};

constexpr HeaderRow kHeaders[] = {
#define S3_ROUTE(method, scope, selector, takes, operation)
#define S3_NOT_BUILT_ROUTE(method, scope)
#define S3_SUBRESOURCE(name)
#define S3_HEADER(method, name, allowed) {Method::method, name, allowed},
#include "s3/routes.def"
#undef S3_ROUTE
#undef S3_NOT_BUILT_ROUTE
#undef S3_SUBRESOURCE
#undef S3_HEADER
};

bool IsSubresource(std::string_view name) {
  return std::ranges::binary_search(kSubresources, name);
}

// Parameters of signatures, of headers that presigning moved into the query, and the SDKs' own note
// of the operation's name.
bool PassesOnWrites(std::string_view name) {
  return name == "x-id" || StartsWithIgnoreCase(name, "x-amz-");
}

bool NamesRow(const HeaderRow& row, std::string_view name) {
  return row.name.ends_with('-') ? StartsWithIgnoreCase(name, row.name)
                                 : EqualsIgnoreCase(name, row.name);
}

// The header or hoisted parameter of `request` that asks for something not built.
std::string_view NotBuiltHeader(const Request& request) {
  const auto refused = [&](std::string_view name, std::string_view value) {
    return std::ranges::any_of(kHeaders, [&](const HeaderRow& row) {
      return row.method == request.method() && NamesRow(row, name) &&
             (row.allowed.empty() || !EqualsIgnoreCase(value, row.allowed));
    });
  };
  for (const HeaderField& field : request.headers()) {
    if (refused(field.name, field.value)) return field.name;
  }
  for (const QueryParameter& parameter : request.query()) {
    if (!StartsWithIgnoreCase(parameter.name, "x-amz-")) continue;
    if (refused(parameter.name, parameter.value)) return parameter.name;
  }
  return {};
}

// The header of `request`, a write, that an operation with `takes` would not heed.
std::string_view UnheededHeader(const Request& request, unsigned takes) {
  if (!IsWrite(request.method())) return {};
  if ((takes & kIfMatch) == 0 && request.HasHeader("If-Match")) return "If-Match";
  if ((takes & kIfNoneMatch) == 0 && request.HasHeader("If-None-Match")) return "If-None-Match";
  if ((takes & kCopySource) != 0) return {};
  const auto copies = [](std::string_view name) {
    return StartsWithIgnoreCase(name, kCopySourceHeader);
  };
  for (const HeaderField& field : request.headers()) {
    if (copies(field.name)) return field.name;
  }
  for (const QueryParameter& hoisted : request.query()) {
    if (copies(hoisted.name)) return hoisted.name;
  }
  return {};
}

const RouteRow* FindRow(const Request& request, std::string_view selector) {
  const bool copies = request.HasHeader(kCopySourceHeader);
  const RouteRow* found = nullptr;
  for (const RouteRow& row : kRoutes) {
    if (row.method != request.method() || row.scope != request.scope() ||
        row.selector != selector) {
      continue;
    }
    if (((row.takes & kCopySource) != 0) == copies) return &row;
    if ((row.takes & kCopySource) == 0) found = &row;  // which then refuses the header
  }
  return found;
}

Failure NotBuilt(std::string_view what, std::string_view name) {
  return Failure(S3Code::kNotImplemented).With(what, name);
}

// The request's sub-resources as a row has them.
Outcome<std::string> SelectorOf(const Request& request) {
  std::vector<std::string_view> names;
  for (const QueryParameter& parameter : request.query()) {
    if (IsSubresource(parameter.name)) {
      if (std::ranges::find(names, parameter.name) == names.end()) names.push_back(parameter.name);
    } else if (IsWrite(request.method()) && !PassesOnWrites(parameter.name)) {
      return std::unexpected(NotBuilt("Query", parameter.name));
    }
  }
  std::ranges::sort(names);
  std::string selector;
  for (const std::string_view name : names) {
    if (!selector.empty()) selector.append("&");
    selector.append(name);
  }
  return selector;
}

}  // namespace

std::span<const std::string_view> OperationNames() { return kOperationNames; }

std::size_t IndexOf(Operation operation) {
  const auto found = std::ranges::find(kRoutes, operation, &RouteRow::operation);
  const std::string_view name = found == std::end(kRoutes) ? "" : found->name;
  const auto at = std::ranges::find(kOperationNames, name);
  return static_cast<std::size_t>(at - std::begin(kOperationNames));
}

std::span<const std::string_view> Subresources() { return kSubresources; }

Outcome<Operation> Route(const Request& request) {
  auto selector = SelectorOf(request);
  if (!selector) return std::unexpected(std::move(selector.error()));
  if (const std::string_view header = NotBuiltHeader(request); !header.empty()) {
    return std::unexpected(NotBuilt("Header", header));
  }
  const RouteRow* row = FindRow(request, *selector);
  if (row != nullptr) {
    if (row->operation == nullptr) return Fail(S3Code::kNotImplemented);
    if (const std::string_view header = UnheededHeader(request, row->takes); !header.empty()) {
      return std::unexpected(NotBuilt("Header", header));
    }
    return row->operation;
  }
  if (!selector->empty()) return std::unexpected(NotBuilt("Query", *selector));
  return Fail(S3Code::kMethodNotAllowed);
}

}  // namespace amphora::s3
