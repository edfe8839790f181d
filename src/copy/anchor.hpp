#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::copy {

/// Where paths begin: in the tree of a container, which nothing leads out of, or on the host, as the invoker's own programs see it.
class Anchor {
 public:
  /// Paths of the host, relative ones below the current directory.
  static Anchor host() { return Anchor(sys::Fd()); }
  /// Paths below a directory that is their "/", with a slash in front or without; no link leads out, nor through proc.
  static Anchor tree(sys::Fd root) { return Anchor(std::move(root)); }

  /// open(2), links followed. The last one too, unless O_NOFOLLOW.
  [[nodiscard]] Result<sys::Fd> open(const std::string& path, int flags) const;

 private:
  explicit Anchor(sys::Fd root) : root_(std::move(root)) {}
  sys::Fd root_;  // invalid: the host
};

/// A name in a directory, and what it stands for now.
struct Place {
  sys::Fd dir;
  std::string name;
  std::optional<struct stat> found;  // never a symlink; nullopt: nothing is there
};

/// Where what is to be written at `path` goes: a symlink there is followed, also one that leads to nothing. The directory must be
/// there: kNotFound. ELOOP after 40 links.
Result<Place> find_place(const Anchor& anchor, const std::string& path);

/// The last name of a path, slashes at its end aside: "." for what stands for the contents of a directory ("a/.", "/", ".", "..").
std::string base_name(const std::string& path);

/// Whether only a directory can be meant: the path ends in "/", "/." or "/..", or is "." or "..".
bool names_directory(const std::string& path);

}  // namespace sbx::copy
