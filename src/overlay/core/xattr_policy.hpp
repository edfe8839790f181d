#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "overlay/core/types.hpp"

namespace sbx::overlay {

/// Which extended attributes the sandbox sees, and under which name the upper directory keeps them. On
/// disk only user.* is possible for us, and there our own marks (user.overlay.*, user.containers.*,
/// user.sbx.*) must not be readable or writable from inside: so such names are escaped, in the way of the
/// kernel's overlay ("user.overlay.overlay.X", since Linux 6.7), which makes overlays inside overlays work.

/// How a directory keeps the attributes of the sandbox.
enum class XattrForm {
  kOwn,    // as above: everything as user.*
  kNative  // security.capability and ACLs as themselves: a directory whose files have their owners
};

/// Name on disk of what the sandbox calls `name`. EPERM for trusted.*, EOPNOTSUPP for what we do not
/// keep (other security.*), ERANGE for a name that escaped is too long.
FsResult<std::string> xattr_to_disk(std::string_view name,
                                    XattrForm form = XattrForm::kOwn) noexcept;

/// What the sandbox calls the attribute `name` of a file in the upper directory; nothing for our own marks.
std::optional<std::string> xattr_from_disk(std::string_view name, XattrForm form = XattrForm::kOwn);

/// Whether an attribute of a file in the lower tree is shown; ACLs are asked for apart.
[[nodiscard]] bool xattr_shown(std::string_view name) noexcept;

}  // namespace sbx::overlay
