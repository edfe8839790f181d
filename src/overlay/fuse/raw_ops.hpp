#pragma once

// The parts of the FUSE protocol that libfuse 3.14 does not know: <linux/fuse.h>.

#include <cstddef>
#include <span>

struct iovec;
struct fuse_in_header;

namespace sbx::overlay {

class Overlay;
struct RawRequest;

/// Answers requests that libfuse would refuse or misread (FUSE_TMPFILE, since Linux 6.1; FUSE_SETXATTR with flags, since
/// Linux 5.14). False: not one of those.
bool answer_raw(Overlay& overlay, const RawRequest& request,
                const struct fuse_in_header& header) noexcept;

/// In the answer to FUSE_INIT, replaces HANDLE_KILLPRIV by its second version (since Linux 5.11) if the
/// kernel offered it: only with that one does the kernel not ask for security.capability at each write. Asks for the
/// flags of FUSE_SETXATTR too, which say whether who sets an ACL may keep set-group-id.
void patch_init_reply(std::span<const std::byte> request, struct iovec* parts, int count) noexcept;

/// Whether a SETATTR or WRITE is to clear set-user-id and set-group-id.
[[nodiscard]] bool wants_privileges_killed(const RawRequest& request) noexcept;

}  // namespace sbx::overlay
