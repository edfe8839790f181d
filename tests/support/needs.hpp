#pragma once

#include <initializer_list>

namespace sbx::test {

/// What a test program may need of the machine, by the word SBX_TESTS_MUST_RUN uses for it.
enum class Need { kUserNamespaces, kFuse, kNet, kSubordinateIds };  // userns, fuse, net, subids

/// Tries each (with the probes of `sbx doctor`). If one is not there: prints "SKIP userns: REASON (REMEDY)" and exits 77, or 1
/// if SBX_TESTS_MUST_RUN names it. To be called by main() before anything else; the process must have one thread.
void require_or_skip(std::initializer_list<Need> needs);

}  // namespace sbx::test
