#include "overlay/core/fd_cache.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>

namespace sbx::overlay {

namespace {

sys::Fd null() { return sys::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
bool open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST_CASE("the least recently used descriptor goes", "[fd_cache]") {
  FdCache cache(2);
  const int first = cache.put(1, null())->get();
  (void)cache.put(2, null());
  CHECK(cache.find(1) != nullptr);
  (void)cache.put(3, null());
  CHECK(cache.find(2) == nullptr);
  CHECK(cache.find(1)->get() == first);
  CHECK(cache.size() == 2);
}

TEST_CASE("a descriptor in use outlives its place in the cache", "[fd_cache]") {
  FdCache cache(1);
  FdRef used = cache.put(1, null());
  const int fd = used->get();
  (void)cache.put(2, null());
  CHECK(cache.find(1) == nullptr);
  CHECK(open(fd));
  used.reset();
  CHECK_FALSE(open(fd));
}

TEST_CASE("of two openers of one file, the first one's descriptor stays", "[fd_cache]") {
  FdCache cache(4);
  const FdRef first = cache.put(1, null());
  CHECK(cache.put(1, null()) == first);
  CHECK(cache.take(1) == first);
  CHECK(cache.take(1) == nullptr);
}

}  // namespace sbx::overlay
