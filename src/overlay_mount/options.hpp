#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "overlay/core/id_view.hpp"
#include "overlay/core/upper.hpp"

namespace sbx::overlay_mount {

/// One mount, as the command line wants it. The command line is that of fuse-overlayfs(1), so that engines can call either.
struct Options {
  enum class Action { kMount, kHelp, kVersion };
  Action action = Action::kMount;
  bool foreground = false;
  std::string mountpoint;

  std::vector<std::string> lower;  // the uppermost first
  std::string upper;               // empty: read-only
  std::string work;

  overlay::UpperForm form = overlay::UpperForm::kNative;
  overlay::IdView::Mapped ids;
  bool durable = true;  // fsync is answered by an fsync
  bool write_back =
      true;  // the kernel gathers writes: fewer requests for the many small files of an image
  bool static_nlink = false;
  bool acls = false;
  bool xattrs = true;
  bool live = false;  // others may change the lower directories
  bool one_thread = false;

  std::string source = "sbx-overlay";
  std::string context;
  unsigned long set_flags = 0;    // MS_* that were asked for,
  unsigned long clear_flags = 0;  // and those that were asked away
  bool allow_other = false;
  bool default_permissions = false;

  /// kInvalidArgument, naming the word that is not understood or that asks for what this program does not do.
  static Result<Options> parse(std::span<const std::string> words);
};

/// One word behind -o, as --help shows it.
struct MountOption {
  std::string_view name;   // with "=" if it has a value
  std::string_view value;  // what it is called, or "A|B"
  std::string_view about;
};
/// All that mean something. What is accepted for the sake of other programs is not among them.
std::span<const MountOption> mount_options();

/// What --help prints.
std::string usage();

}  // namespace sbx::overlay_mount
