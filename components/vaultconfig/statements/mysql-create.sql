CREATE USER '{{name}}'@'%' IDENTIFIED BY '{{password}}'
GRANT @privileges ON `@database`.* TO '{{name}}'@'%'
