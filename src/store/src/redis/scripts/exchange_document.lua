-- Puts a document in the place of the expected one.
--
-- keys    <prefix>:<tag>:documents  hash  name -> body
-- args    name, 1 where one is expected and 0 where none is, the expected body, the new body
-- result  1 when it was put, 0 when something else lies there

local name, wanted, expected, body = arg(), number(), arg(), arg()
local DOCUMENTS = index('documents')
local found = redis.call('HGET', DOCUMENTS, name)
if wanted == 1 then
  if found ~= expected then return 0 end
elseif found then
  return 0
end
redis.call('HSET', DOCUMENTS, name, body)
return 1
