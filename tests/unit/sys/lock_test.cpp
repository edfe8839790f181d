#include "sys/lock.hpp"

#include <fcntl.h>

#include "sys/file.hpp"
#include "temporary_dir.hpp"

using sbx::sys::FileLock;
using Kind = sbx::sys::FileLock::Kind;

TEST_CASE("a lock that must be there is not made") {
  const TemporaryDir dir;
  const auto root = sbx::sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY).value();
  const auto absent = FileLock::try_existing(root.get(), "lock", Kind::kExclusive);
  CHECK(absent.error().code == sbx::ErrorCode::kNotFound);
  const FileLock held = FileLock::acquire(root.get(), "lock", Kind::kExclusive).value();
  CHECK_FALSE(FileLock::try_existing(root.get(), "lock", Kind::kExclusive).value().has_value());
}

TEST_CASE(
    "an exclusive lock keeps everybody out until it is gone, shared ones only the exclusive") {
  const TemporaryDir dir;
  const auto root = sbx::sys::open_at(AT_FDCWD, dir.path, O_RDONLY | O_DIRECTORY).value();
  {
    const FileLock held = FileLock::acquire(root.get(), "lock", Kind::kExclusive).value();
    CHECK_FALSE(FileLock::try_acquire(root.get(), "lock", Kind::kShared).value().has_value());
    CHECK_FALSE(FileLock::try_acquire(root.get(), "lock", Kind::kExclusive).value().has_value());
  }
  const auto first = FileLock::try_acquire(root.get(), "lock", Kind::kShared).value();
  const auto second = FileLock::try_acquire(root.get(), "lock", Kind::kShared).value();
  CHECK(first.has_value());
  CHECK(second.has_value());
  CHECK_FALSE(FileLock::try_acquire(root.get(), "lock", Kind::kExclusive).value().has_value());
}
