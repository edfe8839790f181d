#include "overlay/core/override_stat.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <charconv>

namespace sbx::overlay {

namespace {

/// Takes the digits in front; nothing if there are none or the number is too large.
std::optional<std::uint32_t> number(std::string_view& text, int base = 10) noexcept {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end == text.data()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool skip(std::string_view& text, std::string_view what) noexcept {
  if (!text.starts_with(what)) {
    return false;
  }
  text.remove_prefix(what.size());
  return true;
}

bool parse_type(std::string_view text, OverrideStat& stat) noexcept {
  struct Word {
    std::string_view text;
    std::uint32_t type;
  };
  static constexpr Word kWords[] = {{"file", S_IFREG},
                                    {"dir", S_IFDIR},
                                    {"symlink", S_IFLNK},
                                    {"pipe", S_IFIFO},
                                    {"socket", S_IFSOCK}};
  for (const Word& word : kWords) {
    if (text == word.text) {
      stat.type = word.type;
      return true;
    }
  }
  if (skip(text, "block-")) {
    stat.type = S_IFBLK;
  } else if (skip(text, "char-")) {
    stat.type = S_IFCHR;
  } else {
    return false;
  }
  const auto major_number = number(text);
  if (!major_number || !skip(text, "-")) {
    return false;
  }
  const auto minor_number = number(text);
  if (!minor_number || !text.empty()) {
    return false;
  }
  stat.rdev = makedev(*major_number, *minor_number);
  return true;
}

}  // namespace

std::string OverrideStat::format() const {
  std::string text = fmt::format("{}:{}:0{:o}", owner.uid, owner.gid, permissions);
  switch (type) {
    case S_IFLNK:
      return text + ":symlink";
    case S_IFIFO:
      return text + ":pipe";
    case S_IFSOCK:
      return text + ":socket";
    case S_IFBLK:
      return text + fmt::format(":block-{}-{}", major(rdev), minor(rdev));
    case S_IFCHR:
      return text + fmt::format(":char-{}-{}", major(rdev), minor(rdev));
    default:
      return text;
  }
}

std::optional<OverrideStat> OverrideStat::parse(std::string_view text) noexcept {
  OverrideStat stat;
  const auto uid = number(text);
  if (!uid || !skip(text, ":")) {
    return std::nullopt;
  }
  const auto gid = number(text);
  if (!gid || !skip(text, ":")) {
    return std::nullopt;
  }
  const auto mode = number(text, 8);
  if (!mode) {
    return std::nullopt;
  }
  stat.owner = {*uid, *gid};
  // Some writers put the type bits there too.
  stat.permissions = *mode & 07777;
  if (text.empty() || (skip(text, ":") && parse_type(text, stat))) {
    return stat;
  }
  return std::nullopt;
}

}  // namespace sbx::overlay
