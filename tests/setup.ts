import { closeDatabasesAfterFile } from './database.ts'

closeDatabasesAfterFile()
