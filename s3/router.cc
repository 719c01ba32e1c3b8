#include "s3/router.h"

#include <algorithm>

#include "s3/ops/ops.h"

namespace amphora::s3 {
namespace {

struct RouteRow {
  Method method;
  Scope scope;
  std::string_view selector;
  Operation operation;  // nullptr: known, not built
};

constexpr RouteRow kRoutes[] = {
#define S3_ROUTE(method, scope, selector, operation) \
  {Method::method, Scope::scope, selector, operation},
#define S3_NOT_BUILT_ROUTE(method, scope) {Method::method, Scope::scope, "", nullptr},
#define S3_SUBRESOURCE(name)
#define S3_HEADER(method, name, allowed)
#include "s3/routes.def"
#undef S3_ROUTE
#undef S3_NOT_BUILT_ROUTE
#undef S3_SUBRESOURCE
#undef S3_HEADER
};

constexpr std::string_view kSubresources[] = {
#define S3_ROUTE(method, scope, selector, operation)
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
#define S3_ROUTE(method, scope, selector, operation)
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

Failure NotBuilt(std::string_view what, std::string_view name) {
  return Failure(S3Code::kNotImplemented).With(what, name);
}

}  // namespace

std::span<const std::string_view> Subresources() { return kSubresources; }

Outcome<Operation> Route(const Request& request) {
  std::string_view selector;
  for (const QueryParameter& parameter : request.query()) {
    if (IsSubresource(parameter.name)) {
      // Two at once are never an operation of ours.
      if (!selector.empty() && selector != parameter.name) {
        return std::unexpected(NotBuilt("Query", parameter.name));
      }
      selector = parameter.name;
    } else if (IsWrite(request.method()) && !PassesOnWrites(parameter.name)) {
      return std::unexpected(NotBuilt("Query", parameter.name));
    }
  }
  if (const std::string_view header = NotBuiltHeader(request); !header.empty()) {
    return std::unexpected(NotBuilt("Header", header));
  }
  for (const RouteRow& row : kRoutes) {
    if (row.method != request.method() || row.scope != request.scope() ||
        row.selector != selector) {
      continue;
    }
    if (row.operation == nullptr) return Fail(S3Code::kNotImplemented);
    return row.operation;
  }
  if (!selector.empty()) return std::unexpected(NotBuilt("Query", selector));
  return Fail(S3Code::kMethodNotAllowed);
}

}  // namespace amphora::s3
