#include "runtime/account.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <functional>

namespace sbx::runtime {
namespace {

constexpr std::uint32_t kMaxId = 0x7FFFFFFF;
constexpr std::size_t kMaxGroups = 1024;  // of one user; the kernel takes 65536

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value <= kMaxId ? std::optional(value) : std::nullopt;
}

template <std::size_t N>
std::optional<std::array<std::string_view, N>> split_fields(std::string_view line) {
  std::array<std::string_view, N> fields;
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t end = line.find(':');
    if (end == std::string_view::npos && i + 1 < N) {
      return std::nullopt;
    }
    fields.at(i) = line.substr(0, end);
    line = end == std::string_view::npos ? std::string_view{} : line.substr(end + 1);
  }
  return fields;
}

/// Calls `visit` with each line until it says true.
bool any_line(std::string_view text, const std::function<bool(std::string_view)>& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (visit(text.substr(0, end))) {
      return true;
    }
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return false;
}

/// The account of a name, or of a number if `uid` is set. passwd(5): name:password:uid:gid:comment:home:shell.
std::optional<Account> search_passwd(std::string_view passwd, std::string_view name,
                                     std::optional<uid_t> uid) {
  Account account;
  const bool found = any_line(passwd, [&](std::string_view line) {
    const auto fields = split_fields<7>(line);
    if (!fields) {
      return false;
    }
    const auto line_uid = number((*fields)[2]);
    const auto line_gid = number((*fields)[3]);
    const bool matches = uid ? line_uid == uid : (*fields)[0] == name;
    if (!matches || !line_uid || !line_gid) {
      return false;
    }
    account.uid = *line_uid;
    account.gid = *line_gid;
    account.name = (*fields)[0];
    account.home = (*fields)[5].starts_with('/') ? std::string((*fields)[5]) : "/";
    return true;
  });
  return found ? std::optional(account) : std::nullopt;
}

bool lists_member(std::string_view members, std::string_view name) {
  while (!members.empty()) {
    const std::size_t end = members.find(',');
    if (members.substr(0, end) == name) {
      return true;
    }
    members = end == std::string_view::npos ? std::string_view{} : members.substr(end + 1);
  }
  return false;
}

/// group(5): name:password:gid:member,member
std::vector<gid_t> supplementary_groups(std::string_view group, std::string_view name) {
  std::vector<gid_t> groups;
  any_line(group, [&](std::string_view line) {
    const auto fields = split_fields<4>(line);
    const auto gid = fields ? number((*fields)[2]) : std::nullopt;
    if (gid && !name.empty() && lists_member((*fields)[3], name)) {
      groups.push_back(*gid);
    }
    return groups.size() == kMaxGroups;
  });
  return groups;
}

Error unknown(std::string_view kind, std::string_view name, std::string_view file) {
  return Error::make(ErrorCode::kNotFound, fmt::format("find {}", kind), name,
                     fmt::format("the image's /etc/{} does not have it", file));
}

Result<gid_t> find_group(std::string_view spec, std::string_view group) {
  if (is_number(spec)) {
    const auto gid = number(spec);
    if (!gid) {
      return fail(
          Error::make(ErrorCode::kInvalidArgument, "use group", spec, "the number is too large"));
    }
    return *gid;
  }
  std::optional<gid_t> gid;
  any_line(group, [&](std::string_view line) {
    const auto fields = split_fields<4>(line);
    if (fields && (*fields)[0] == spec) {
      gid = number((*fields)[2]);
    }
    return gid.has_value();
  });
  if (!gid) {
    return fail(unknown("group", spec, "group"));
  }
  return *gid;
}

Result<Account> find_user(std::string_view user, const AccountFiles& files) {
  if (!is_number(user)) {
    if (std::optional<Account> account = search_passwd(files.passwd, user, std::nullopt)) {
      return *account;
    }
    return fail(unknown("user", user, "passwd"));
  }
  const auto uid = number(user);
  if (!uid) {
    return fail(
        Error::make(ErrorCode::kInvalidArgument, "use user", user, "the number is too large"));
  }
  if (std::optional<Account> account = search_passwd(files.passwd, {}, *uid)) {
    return *account;
  }
  Account account;
  account.uid = *uid;
  account.home = *uid == 0 ? "/root" : "/";
  return account;
}

}  // namespace

Result<Account> find_account(std::string_view spec, const AccountFiles& files) {
  const std::size_t colon = spec.find(':');
  const std::string_view user = spec.substr(0, colon);
  Account account = SBX_TRY(find_user(user.empty() ? "0" : user, files));
  if (colon == std::string_view::npos || colon + 1 == spec.size()) {
    account.groups = supplementary_groups(files.group, account.name);
    return account;
  }
  account.gid = SBX_TRY(find_group(spec.substr(colon + 1), files.group));
  return account;
}

}  // namespace sbx::runtime
